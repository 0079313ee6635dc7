"""References: what an expression reads, found before anything runs, with its place."""

from __future__ import annotations

import pytest

from callsheet.expressions import Expressions


def chains(text: str) -> list[str]:
    return [str(reference) for reference in Expressions().compile(text).references]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", []),
        ("${{ lang }}", ["lang"]),
        ("${{ steps.dub.outputs.video }}", ["steps.dub.outputs.video"]),
        ("${{ steps['dub'].outputs['video'] }}", ["steps.dub.outputs.video"]),
        ("${{ inputs.list[0] }}", ["inputs.list.0"]),
        ("${{ vars.voice[lang] }}", ["vars.voice.[…]", "lang"]),
        ("${{ vars.voice[row.lang] }}", ["vars.voice.[…]", "row.lang"]),
        ("${{ a.b + c.d | default(e.f) }}", ["a.b", "c.d", "e.f"]),
        ("${{ 'x' if a else b }}", ["a", "b"]),
        ("${{ {'k': a, b: 1} }}", ["a", "b"]),
        ("${{ [a, (b, c)] }}", ["a", "b", "c"]),
        ("${{ a | replace(b, c) }}", ["a", "b", "c"]),
        ("x ${{ a }} y ${{ b }}", ["a", "b"]),
        ("{% if a %}${{ b }}{% elif c %}{% else %}${{ d }}{% endif %}", ["a", "b", "c", "d"]),
        ("$${{ a }}", []),
        ("{{ a }}", []),
    ],
)
def test_chains(text: str, expected: list[str]) -> None:
    assert sorted(chains(text)) == sorted(expected)


def test_a_method_call_reads_its_owner() -> None:
    assert chains("${{ row.name.split('|') }}")[0].startswith("row.name")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% for x in row.list %}${{ x.name }}${{ loop.index }}{% endfor %}", {"row.list"}),
        ("{% for k, v in row.map.items() %}${{ k }}${{ v }}{% endfor %}", {"row.map"}),
        ("{% set who = row.name %}${{ who }}", {"row.name"}),
        ("{% set who %}${{ row.name }}{% endset %}${{ who }}", {"row.name"}),
        ("{% if a %}{% set who = b %}{% else %}{% set who = c %}{% endif %}${{ who }}", {"a", "b", "c"}),
        ("{% for x in [1] %}{% set y = x %}${{ y }}{% endfor %}", set()),
        ("{% for row in row.parts %}${{ row }}{% endfor %}", {"row.parts"}),
        ("{% set row = row.name %}${{ row }}", {"row.name"}),
        ("{% for x in [1] %}{% endfor %}${{ x }}", {"x"}),
        ("{% for x in a if x.ok and b %}${{ x }}{% endfor %}", {"a", "b"}),
    ],
)
def test_names_of_the_text_itself_are_no_references(text: str, expected: set[str]) -> None:
    assert set(chains(text)) == expected


@pytest.mark.parametrize(
    ("text", "optional"),
    [
        ("${{ a.b }}", False),
        ("${{ a.b | default('x') }}", True),
        ("${{ a.b | d('x') }}", True),
        ("${{ a.b is defined }}", True),
        ("${{ a.b is undefined }}", True),
        ("${{ a.b is not defined }}", True),
        ("${{ a.b is none }}", False),
        ("${{ a.b | upper | default('x') }}", True),
    ],
)
def test_optional_ones(text: str, optional: bool) -> None:
    assert [reference.optional for reference in Expressions().compile(text).references] == [optional]


def test_the_default_itself_is_not_optional() -> None:
    found = {str(r): r.optional for r in Expressions().compile("${{ a.b | default(c.d) }}").references}
    assert found == {"a.b": True, "c.d": False}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("${{ row.name }}", (0, 4)),
        ("Hello ${{ row.name }}", (0, 10)),
        ("one\ntwo ${{ row.name }}", (1, 8)),
        ("${{ vars.x[row.name] }}", (0, 11)),
        ("${{ row['name'] }}", (0, 4)),
        ("rows ${{ rows.x }} ${{ row.name }}", (0, 23)),
        ("$${{ x }} ${{ row.name }}", (0, 14)),
    ],
)
def test_places_count_from_0_inside_the_text(text: str, place: tuple[int, int]) -> None:
    found = next(r for r in Expressions().compile(text).references if str(r) == "row.name")
    assert (found.line, found.column) == place


@pytest.mark.parametrize(("text", "column"), [("row.a == 1", 0), ("${{ row.a == 1 }}", 4), ("true and row.a", 9)])
def test_places_in_conditions(text: str, column: int) -> None:
    (found,) = Expressions().condition(text).references
    assert (found.line, found.column) == (0, column)
