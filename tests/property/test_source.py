"""Any value survives YAML, and nothing makes the reader crash."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from callsheet.errors import SpecError
from callsheet.spec.source import Source, load

# What YAML can write at all; surrogates and the like are refused with a message of their own.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5), max_leaves=25
)
# PyYAML writes YAML 1.1; this text means the same in both.
ORDINARY = st.text("abc X-.", max_size=8)
# Text out of the pieces that mean something, which random text hardly ever hits.
PIECES = st.sampled_from(
    [
        "a",
        "b",
        "1",
        ": ",
        ":",
        "- ",
        "\n",
        "  ",
        "\t",
        "[",
        "]",
        "{",
        "}",
        ",",
        '"',
        "'",
        "&a ",
        "*a",
        "<<",
        "|",
        ">",
        "!",
        "!!str ",
        "#",
        "%",
        "@",
        "? ",
        "---\n",
        "...\n",
        "${{ x }}",
        "{{ x }}",
        "\\",
        "\x00",
        "ü",
        "\u2028",
        "\r\n",
    ]
)


class JsonLike(yaml.SafeDumper):
    """The dumper of a person who quotes whatever YAML 1.1 or 1.2 could misread."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"')

    def represent_number(self, number: float) -> yaml.ScalarNode:
        shown = {"inf": ".inf", "-inf": "-.inf"}.get(repr(number), repr(number))
        return self.represent_scalar("tag:yaml.org,2002:float", shown)

    def ignore_aliases(self, data: Any) -> bool:
        return True


JsonLike.add_representer(str, JsonLike.represent_text)
JsonLike.add_representer(float, JsonLike.represent_number)


@given(VALUES, st.booleans(), st.booleans())
def test_dumped_values_load_equal(value: Any, flow: bool, unicode: bool) -> None:
    text = yaml.dump(value, Dumper=JsonLike, default_flow_style=flow, allow_unicode=unicode, sort_keys=False)
    loaded = load("f", text).data
    assert loaded == value
    assert json.dumps(loaded) == json.dumps(value)  # the types too: True is not 1


@given(st.recursive(ORDINARY, lambda inner: st.lists(inner) | st.dictionaries(ORDINARY, inner)))
def test_values_with_aliases_load_equal(value: Any) -> None:
    text = yaml.safe_dump([value, {"again": value}], default_flow_style=None)
    assert load("f", text).data == [value, {"again": value}]


# JSON leaves these as they are, and YAML wants them escaped.
NOT_IN_YAML = ["\ufffe", "\uffff", *(chr(code) for code in range(0x7F, 0xA0) if code != 0x85)]
JSON_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=NOT_IN_YAML), max_size=30)
JSON_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | JSON_TEXT


@given(
    st.recursive(JSON_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(JSON_TEXT, inner), max_leaves=25),
    st.none() | st.integers(1, 4),
)
def test_json_is_yaml(value: Any, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    assert json.dumps(load("f", text).data) == json.dumps(value)


@given(VALUES)
def test_every_value_has_a_place_on_which_it_is_written(value: Any) -> None:
    source = load("f", yaml.dump(value, Dumper=JsonLike, allow_unicode=True))
    _check_places(source, source.data, [])


def _check_places(source: Source, value: Any, path: list[str | int]) -> None:
    place = source.place(path)
    rest = source.line(place.line)[place.column - 1 :]
    if isinstance(value, str):
        assert rest.startswith('"')
    elif isinstance(value, bool) or value is None:
        assert rest.startswith(json.dumps(value))
    elif isinstance(value, dict | list):
        for part, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(part, str):
                key = source.place([*path, part], key=True)
                assert source.line(key.line)[key.column - 1] in ('"', "?")
            _check_places(source, item, [*path, part])


@settings(max_examples=500)
@given(st.text() | st.binary() | st.lists(PIECES, max_size=30).map("".join))
def test_anything_is_data_or_a_problem(content: str | bytes) -> None:
    try:
        source = load("f", content)
    except SpecError as error:
        problems = error.diagnostics
    else:
        _walk(source, source.data, [])
        return
    assert problems
    for problem in problems:
        assert problem.code.startswith("yaml-")
        assert problem.place.line >= 1
        assert problem.place.column >= 1
        if isinstance(content, str):
            assert problem.place.line <= content.count("\n") + content.count("\r") + 2


def _walk(source: Source, value: Any, path: list[str | int]) -> None:
    place = source.place(path)
    assert (place.line >= 1 and place.column >= 1) or source.data is None
    assert source.place_in_text(path, 0, 0).line == place.line or isinstance(value, str)
    if isinstance(value, dict):
        for key, item in value.items():
            assert type(key) is str
            _walk(source, item, [*path, key])
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _walk(source, item, [*path, number])
