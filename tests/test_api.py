"""The public names: listed once, sorted, and complete."""

from __future__ import annotations

import ast
import inspect

import pytest

from callsheet import api, errors, rest


def isort_style(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, each by the alphabet: the order that the linter gives `__all__`."""
    return 0 if name.isupper() else 1 if name[0].isupper() else 2, name


@pytest.mark.parametrize("module", [api, rest], ids=lambda module: module.__name__)
def test_the_list_is_sorted_and_names_all_that_is_imported(module: object) -> None:
    listed = list(module.__all__)
    tree = ast.parse(inspect.getsource(module))
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }
    own = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id != "__all__"
    }
    assert listed == sorted(set(listed), key=isort_style)
    assert set(listed) == imported | own
    assert [name for name in listed if not hasattr(module, name)] == []


def test_a_plugin_can_raise_every_error_of_an_operation() -> None:
    expected = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.OperationError)
    }
    assert expected <= set(api.__all__)


def test_a_class_of_the_api_tells_what_it_is() -> None:
    classes = [value for name in api.__all__ if isinstance(value := getattr(api, name), type)]
    assert [value.__name__ for value in classes if not inspect.getdoc(value)] == []


def test_the_version_of_the_contract_is_two_numbers() -> None:
    major, minor = api.API_VERSION
    assert (major, minor) == (1, 0)
