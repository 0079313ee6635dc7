"""The sandbox: nothing reaches Python, chance, the clock or files, and nothing small becomes huge."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from callsheet.core.values import Media
from callsheet.expressions import ExpressionError, Expressions

NAMES: dict[str, Any] = {
    "row": {"name": "Ada", "__class__": "a column"},
    "media": Media("file", path="/a"),
    "list": [1, 2],
    "text": "text",
}


def refused(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        Expressions().compile(text).render(NAMES)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "${{ ''.__class__ }}",
        "${{ ''.__class__.__mro__[1].__subclasses__() }}",
        "${{ ''['__class__'] }}",
        "${{ text | attr('__class__') }}",
        "${{ list.__class__ }}",
        "${{ media.__class__ }}",
        "${{ media.as_json() }}",
        "${{ media.__init__.__globals__ }}",
        "${{ list.append(3) }}",
        "${{ row.update({'a': 1}) }}",
        "${{ row.pop('name') }}",
        "${{ list.sort() }}",
        "${{ row.name.format.__globals__ }}",
        "${{ '{0.__class__}'.format(text) }}",
        "${{ '{0.__class__.__mro__}'.format_map({'0': text}) }}",
        "${{ cycler.__init__.__globals__ }}",
        "${{ lipsum.__globals__ }}",
        "${{ joiner() }}",
        "${{ self }}",
        "${{ self._TemplateReference__context }}",
        "${{ range.__self__ }}",
        "${{ dict.__subclasses__() }}",
        "${{ namespace.__init__ }}",
        "x ${{ ''.__class__ }}",
        "{% set x = ''.__class__ %}${{ x }}",
        "{% for x in [].__class__.__bases__ %}${{ x }}{% endfor %}",
    ],
)
def test_no_way_to_python(text: str) -> None:
    refused(text)


@pytest.mark.parametrize("name", ["random", "pprint", "urlize", "xmlattr", "attr", "lipsum", "now"])
def test_what_is_not_pure_is_not_there(name: str) -> None:
    assert refused(f"${{{{ list | {name} }}}}").code == "expression-syntax"


@pytest.mark.parametrize(
    "text", ["${{ now() }}", "${{ lipsum() }}", "${{ open('/etc/passwd') }}", "${{ cycler('a') }}"]
)
def test_no_functions_but_the_pure_ones(text: str) -> None:
    assert "is not defined" in refused(text).message


def test_a_column_may_have_any_name() -> None:
    assert Expressions().compile("${{ row['__class__'] }}").render(NAMES) == "a column"


@pytest.mark.parametrize(
    "text",
    [
        "${{ 10 ** 1000 }}",
        "${{ 'a' * 1000000 }}",
        "${{ 1000000 * 'a' }}",
        "${{ [0] * 1000000 }}",
        "${{ 'a'.ljust(1000000) }}",
        "${{ 'a'.center(1000000) }}",
        "${{ 'a'.zfill(1000000) }}",
        "${{ 'a' | center(1000000) }}",
        "${{ 'a' | indent(1000000) }}",
        "${{ '%1000000d' % 1 }}",
        "${{ '%*d' % (1000000, 1) }}",
        "${{ '%1000000d' | format(1) }}",
        "${{ '{:2000000}'.format(1) }}",
        "${{ range(1000000) | list }}",
    ],
)
def test_nothing_small_becomes_huge(text: str) -> None:
    refused(text)


@pytest.mark.parametrize(
    "text",
    [
        "${{ ('a' * 10000).replace('a', 'b' * 10000) }}",
        "${{ 'a' * 10000 | replace('a', 'b' * 10000) }}",
        "{% for a in range(2000) %}{% for b in range(1000) %}xxxxx{% endfor %}{% endfor %}",
    ],
)
def test_it_is_refused_before_it_is_made(text: str) -> None:
    tracemalloc.start()
    try:
        refused(text)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000  # bytes
    finally:
        tracemalloc.stop()


def test_deep_nesting_is_an_error_not_a_crash() -> None:
    refused("${{ " + "(" * 3000 + "1" + ")" * 3000 + " }}")
    refused("${{ " + "-" * 5000 + "1 }}")
