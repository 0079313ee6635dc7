"""Imports point down: the layers of runner/README.md, on the imports as they are written."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from support.imports import Import, cycle_in, imports_of, modules_in

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = sorted(path.parent.name for path in (ROOT / "plugins").glob("callsheet_*/__init__.py"))

#: A name stands for a module, or for a package with all that is in it.
LAYERS = (
    ("callsheet.errors", "callsheet.core"),
    (
        "callsheet.api",
        "callsheet.expressions",
        "callsheet.hooks",
        "callsheet.languages",
        "callsheet.media",
        "callsheet.redaction",
        "callsheet.references",
        "callsheet.rest",
        "callsheet.sandbox",
        "callsheet.schema",
        "callsheet.schema_quick",
        "callsheet.schema_words",
    ),
    ("callsheet.job_schema", "callsheet.project", "callsheet.registry", "callsheet.spec", "callsheet.state"),
    ("callsheet.plan",),
    ("callsheet.engine",),
    ("callsheet.__main__", "callsheet.cli", "callsheet.testing"),
)

#: What a plugin may import of callsheet.
DOORS = ("callsheet.api", "callsheet.errors", "callsheet.rest")


def within(name: str, package: str) -> bool:
    """Whether a module is a package or in it."""
    return name == package or name.startswith(f"{package}.")


MODULES = modules_in(ROOT / "runner", "callsheet")
IMPORTS = [found for name, path in MODULES.items() for found in imports_of(name, path, set(MODULES))]
#: The commands import what they need when they are called, so that `--help` is quick.
COUNTED = [found for found in IMPORTS if not (found.late and within(found.importer, "callsheet.cli"))]


def layer(name: str) -> int | None:
    """The number of a module's layer."""
    return next((n for n, names in enumerate(LAYERS) if any(within(name, package) for package in names)), None)


def test_every_module_has_a_layer() -> None:
    # The package itself holds the version and nothing else, so anything may import it.
    assert [name for name in MODULES if layer(name) is None] == ["callsheet"]


def test_imports_point_down() -> None:
    def wrong(found: Import) -> bool:
        ours, theirs = layer(found.importer), layer(found.target)
        return ours is not None and theirs is not None and theirs > ours

    assert [str(found) for found in COUNTED if wrong(found)] == []


def test_no_module_imports_itself_over_others() -> None:
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for found in COUNTED:
        if found.target in MODULES and found.target != found.importer:
            graph[found.importer].add(found.target)
    assert cycle_in(graph) == []


def test_nothing_below_the_commands_imports_a_plugin() -> None:
    assert [str(f) for f in COUNTED if any(within(f.target, plugin) for plugin in PLUGINS)] == []


def test_the_core_and_the_errors_need_only_the_standard_library() -> None:
    ours = [found for found in COUNTED if layer(found.importer) == 0 and not within(found.target, "callsheet")]
    assert [str(f) for f in ours if f.target.partition(".")[0] not in sys.stdlib_module_names] == []


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_comes_in_by_the_front_door(plugin: str) -> None:
    modules = modules_in(ROOT / "plugins", plugin)
    found = [one for name, path in modules.items() for one in imports_of(name, path, set(modules))]
    others = {name for name in PLUGINS if name != plugin}

    def wrong(one: Import) -> bool:
        top = one.target.partition(".")[0]
        return top in others or (top == "callsheet" and one.name not in published(one.target))

    assert [str(one) for one in found if wrong(one)] == []


def published(module: str) -> set[str]:
    """The names that a plugin may take from a module."""
    if module not in DOORS:
        return set()
    names = vars(importlib.import_module(module))
    return set(names.get("__all__", [name for name in names if not name.startswith("_")]))


def test_a_cycle_is_found() -> None:
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert cycle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []
