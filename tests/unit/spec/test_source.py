"""YAML sources: values, places, and every problem with its code, place and hint."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from callsheet.core.diagnostics import Diagnostic, Place
from callsheet.errors import SpecError, UsageError
from callsheet.spec import source as source_module
from callsheet.spec import yaml_builder
from callsheet.spec.source import Source, load

if TYPE_CHECKING:
    from pathlib import Path


def data(text: str) -> Any:
    return load("f.yaml", text).data


def problems(text: str | bytes) -> list[Diagnostic]:
    with pytest.raises(SpecError) as caught:
        load("f.yaml", text)
    return caught.value.diagnostics


def only(text: str | bytes) -> tuple[str, int, int, str, str]:
    """The one problem as code, line, column, message and hint."""
    (problem,) = problems(text)
    return problem.code, problem.place.line, problem.place.column, problem.message, problem.hint


class TestScalars:
    @pytest.mark.parametrize(
        "text",
        [
            "no",
            "NO",
            "on",
            "off",
            "yes",
            "y",
            "n",
            "16:9",
            "1:30",
            "12:30:45",
            "007",
            "01234",
            "0755",
            "1_000",
            "2026-01-02",
            "2026-11-20T10:00:00Z",
            "+4917612345",
            "+1",
            "0o755",
            "0x1F",
            "0b11",
            "tRUE",
            "nULL",
            "1.2.3",
            "1e",
            "--1",
            "-007",
            "00",
            "1.5.",
            "e5",
            ".",
            "-.",
            "7e999",
            "9" * 5000,
            "<<x",
            "Infinity",
            "NaN",
        ],
    )
    def test_text_stays_text(self, text: str) -> None:
        assert data(f"a: {text}") == {"a": text}

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1", 1),
            ("0", 0),
            ("-7", -7),
            ("12345678901234567890", 12345678901234567890),
            ("1.10", 1.1),
            ("1e3", 1000.0),
            ("-1.5E-2", -0.015),
            (".5", 0.5),
            ("5.", 5.0),
            ("0.0", 0.0),
            ("true", True),
            ("True", True),
            ("TRUE", True),
            ("false", False),
            ("False", False),
            ("FALSE", False),
            ("null", None),
            ("Null", None),
            ("NULL", None),
            ("~", None),
            ("", None),
            (".inf", math.inf),
            ("-.INF", -math.inf),
            ("!!str 12", "12"),
            ('! "12"', "12"),
            ("!!int '12'", 12),
            ("!!float 1", 1.0),
            ("!!bool 'true'", True),
            ("!!null ''", None),
            ("!!map {}", {}),
        ],
    )
    def test_typed(self, text: str, value: object) -> None:
        loaded = data(f"a: {text}")["a"]
        assert loaded == value
        assert type(loaded) is type(value)

    def test_nan(self) -> None:
        assert math.isnan(data("a: .nan")["a"])

    @pytest.mark.parametrize("text", ["1", "true", "null", "~", "", "1.5"])
    def test_quoted_is_text(self, text: str) -> None:
        assert data(f"a: '{text}'\nb: \"{text}\"") == {"a": text, "b": text}

    def test_yaml_1_2_knows_three_line_breaks_fewer(self) -> None:
        text = "a: one\u2028two\x85three\u2029four\nb: |\n  x\u2028y\nc: 1\n"
        source = load("f", text)
        assert source.data == {"a": "one\u2028two\x85three\u2029four", "b": "x\u2028y\n", "c": 1}
        assert source.place(("c",)) == Place("f", 4, 4)


TRUTH = "a key has to be text, and this one is true or false"


class TestKeys:
    def test_words_are_text_as_keys(self) -> None:
        assert data("on: 1\nno: 2\n007: 3\n16:9: 4\n'1': 5\n\"\": 6") == {
            "on": 1, "no": 2, "007": 3, "16:9": 4, "1": 5, "": 6,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("text", "line", "column", "message", "hint"),
        [
            ("1: a", 1, 1, "a key has to be text, and this one is a number", 'put quotes round it: "1"'),
            ("x:\n  True: a", 2, 3, TRUTH, 'put quotes round it: "True"'),
            ("~: a", 1, 1, "a key has to be text, and this one is none", 'put quotes round it: "~"'),
            ("? \n: a", 1, 2, "a key is missing before the colon", "write a name before the colon"),
            ("[a]: b", 1, 1, "a key has to be text, and this one is a list", "put quotes round it"),
            ("{a: 1}: b", 1, 1, "a key has to be text, and this one is a map", "put quotes round it"),
            ("? - a\n: b", 1, 3, "a key has to be text, and this one is a list", "put quotes round it"),
        ],
    )
    def test_other_keys(self, text: str, line: int, column: int, message: str, hint: str) -> None:
        assert only(text) == ("yaml-key", line, column, message, hint)

    def test_all_duplicates_are_reported_with_both_places(self) -> None:
        found = problems("a: 1\nb: {c: 1, 'c': 2}\na: 3\n\"a\": 4\n")
        assert [(d.code, str(d.place), str(d.related[0][0])) for d in found] == [
            ("yaml-duplicate-key", "f.yaml:2:11", "f.yaml:2:5"),
            ("yaml-duplicate-key", "f.yaml:3:1", "f.yaml:1:1"),
            ("yaml-duplicate-key", "f.yaml:4:1", "f.yaml:1:1"),
        ]
        assert found[1].message == '"a" is given twice'
        assert found[1].related[0][1] == "given here first"

    def test_duplicates_and_the_syntax_error_behind_them(self) -> None:
        assert [d.code for d in problems("a: 1\na: 2\nb: [1\n")] == ["yaml-duplicate-key", "yaml-syntax"]

    def test_an_anchored_key(self) -> None:
        assert data("&k a: 1\nb: *k") == {"a": 1, "b": "a"}
        assert data("- &k a\n- *k : 2") == ["a", {"a": 2}]


class TestAliasesAndMerges:
    def test_alias_shares_the_value(self) -> None:
        assert data("a: &x [1, {b: 2}]\nc: *x\nd: &s text\ne: *s") == {
            "a": [1, {"b": 2}], "c": [1, {"b": 2}], "d": "text", "e": "text",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("{<<: *a, z: 9}", {"x": 1, "y": 2, "z": 9}),
            ("{x: 5, <<: *a}", {"x": 5, "y": 2}),
            ("{<<: *a, x: 5}", {"x": 5, "y": 2}),
            ("{<<: [*b, *a]}", {"x": 7, "y": 2}),
            ("{<<: [*a, *b]}", {"x": 1, "y": 2}),
            ("{<<: {q: {r: 1}}, z: 1}", {"q": {"r": 1}, "z": 1}),
            ("{<<: []}", {}),
            ('{"<<": 1}', {"<<": 1}),
        ],
    )
    def test_merge(self, text: str, value: object) -> None:
        assert data(f"a: &a {{x: 1, y: 2}}\nb: &b {{x: 7}}\nm: {text}\n")["m"] == value

    def test_merge_of_a_merge(self) -> None:
        assert data("a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: {<<: *b}")["c"] == {"x": 1, "y": 2}

    def test_a_second_merge_key(self) -> None:
        code, line, column, message, hint = only("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n")
        assert (code, line, column, message) == ("yaml-duplicate-key", 4, 3, '"<<" is given twice')
        assert "[*a, *b]" in hint

    @pytest.mark.parametrize("value", ["1", "text", "[1]", "[[{}]]"])
    def test_merge_needs_maps(self, value: str) -> None:
        assert only(f"a: {{<<: {value}}}")[:4] == ("yaml-key", 1, 9, '"<<" needs a map or a list of maps')

    @pytest.mark.parametrize("text", ["&a [*a]", "&a {b: *a}", "&a {<<: *a}", "x: &a\n  - y: [*a]"])
    def test_an_anchor_inside_itself(self, text: str) -> None:
        (problem,) = problems(text)
        assert problem.code == "yaml-aliases"
        assert problem.message == '"*a" stands inside the value that it names'
        assert problem.related

    def test_unknown_anchor(self) -> None:
        code, line, column, message, hint = only("a: &master 1\nb: *mastr\n")
        assert (code, line, column, message) == ("yaml-syntax", 2, 4, 'there is no anchor "&mastr" above this line')
        assert hint == 'did you mean "master"? known: master'

    def test_expansion_is_bounded(self) -> None:
        bomb = "a0: &a0 [1,1,1,1,1,1,1,1,1]\n" + "".join(
            f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
        )
        code, line, _, message, _ = only(bomb)
        assert (code, message) == ("yaml-aliases", "more than 2,000,000 values with aliases put in")
        assert line < 9

    def test_expansion_through_merges_is_bounded(self) -> None:
        bomb = "a0: &a0 {k: [1,1,1,1,1,1,1,1,1]}\n" + "".join(
            f"a{i}: &a{i} {{{','.join(f'k{n}: {{<<: *a{i - 1}}}' for n in range(9))}}}\n" for i in range(1, 10)
        )
        assert only(bomb)[0] == "yaml-aliases"

    def test_depth_counts_through_aliases(self) -> None:
        chain = "a0: &a0 " + "[" * 40 + "]" * 40 + "\n"
        chain += "".join(f"a{i}: &a{i} {'[' * 40}*a{i - 1}{']' * 40}\n" for i in range(1, 5))
        assert only(chain)[:2] == ("yaml-depth", 3)


class TestBounds:
    def test_depth(self) -> None:
        assert data("[" * 100 + "]" * 100) is not None
        assert only("[" * 101 + "]" * 101)[:3] == ("yaml-depth", 1, 101)
        assert data("{a: " * 100 + "}" * 100) is not None

    @pytest.mark.parametrize(
        "expression",
        [
            '"[" * 100_000',
            '"{" * 100_000',
            '"[{" * 100_000',
            '"- " * 100_000',
            '"? " * 100_000',
            '"{a: " * 100_000',
            '"".join(" " * i + "-\\n" for i in range(2_000))',
            '"".join(" " * i + "a:\\n" for i in range(2_000))',
            '"[" * 100_000 + "]" * 100_000',
            '"&a [" * 100_000',
            '"!!seq [" * 100_000',
            '"[\\n" * 100_000',
        ],
    )
    @pytest.mark.parametrize("parser", ["", "yaml_builder.Parser = yaml.SafeLoader"])
    def test_deep_nesting_is_a_problem_and_no_crash(self, expression: str, parser: str) -> None:
        program = f"""
import yaml
from callsheet.spec import yaml_builder
from callsheet.spec.source import load
from callsheet.errors import SpecError
{parser}
try:
    load("f", {expression})
except SpecError as error:
    print([problem.code for problem in error.diagnostics])
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert "yaml-depth" in done.stdout

    def test_size(self) -> None:
        assert only(b"a" * (source_module.MAX_BYTES + 1))[0] == "yaml-size"

    def test_many_values(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(yaml_builder, "MAX_EVENTS", 1000)
        assert only("[" + "1," * 2000 + "]")[0] == "yaml-size"

    def test_large_file_without_aliases_may_have_more_values_than_an_expansion(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(yaml_builder, "MAX_VALUES", 10)
        assert len(data("- [1]\n" * 50)) == 50


class TestFiles:
    def test_reads_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a.yaml"
        path.write_bytes(b"\xef\xbb\xbfa: \xc3\xbc\r\nb: 1\r\n")
        source = load(str(path))
        assert source.data == {"a": "ü", "b": 1}
        assert source.place(("b",), key=True) == Place(str(path), 2, 1)
        assert source.place(("a",)) == Place(str(path), 1, 4)
        assert source.line(1) == "a: ü"

    def test_missing_with_a_suggestion(self, tmp_path: Path) -> None:
        (tmp_path / "launch.yaml").touch()
        with pytest.raises(UsageError, match="there is no file") as caught:
            load(str(tmp_path / "lanch.yaml"))
        assert not isinstance(caught.value, SpecError)
        assert caught.value.hint == 'did you mean "launch.yaml"? known: launch.yaml'

    def test_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="is a folder"):
            load(str(tmp_path))

    def test_a_name_that_cannot_exist(self) -> None:
        with pytest.raises(UsageError, match="cannot be read"):
            load("a\0b.yaml")

    @pytest.mark.parametrize("text", ["", "# only a comment\n", "\n\n", "\ufeff", b"\xef\xbb\xbf"])
    def test_empty(self, text: str | bytes) -> None:
        source = load("f", text)
        assert source.data is None
        assert source.place() == Place("f")
        assert source.place(("a",)) == Place("f")

    def test_null_document_has_a_place(self) -> None:
        assert load("f", "# x\n null\n").place() == Place("f", 2, 2)

    @pytest.mark.parametrize(
        ("content", "line", "column", "hint"),
        [
            ("a: 1\nb: über".encode("latin-1"), 2, 4, "save the file as UTF-8"),
            ("ü: ".encode() + b"\xff", 1, 4, "save the file as UTF-8"),
            (b"\xef\xbb\xbfa: \xff", 1, 4, "save the file as UTF-8"),
            ("a: 1\n".encode("utf-16"), 1, 1, "the file is UTF-16; save it as UTF-8"),
        ],
    )
    def test_encoding(self, content: bytes, line: int, column: int, hint: str) -> None:
        code, *place, message, found_hint = only(content)
        assert (code, place, found_hint) == ("yaml-encoding", [line, column], hint)
        assert message.startswith("not UTF-8: byte 0x")

    @pytest.mark.parametrize(("char", "shown"), [("\x07", "U+0007"), ("\x7f", "U+007F"), ("\ud800", "U+D800")])
    def test_forbidden_characters(self, char: str, shown: str) -> None:
        code, line, column, message, _ = only(f"a: 1\nb: ü{char}")
        assert (code, line, column) == ("yaml-encoding", 2, 5)
        assert shown in message

    @pytest.mark.parametrize("text", ["a: 1\n---\nb: 2\n", "---\na: 1\n---\n", "a: 1\n...\n---\nb: 1\n"])
    def test_several_documents(self, text: str) -> None:
        code, line, column, *_ = only(text)
        assert (code, column) == ("yaml-documents", 1)
        assert text.splitlines()[line - 1] == "---"

    def test_one_document_with_markers(self) -> None:
        assert data("%YAML 1.2\n---\na: 1\n...\n") == {"a": 1}


class TestTags:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("!!python/object:os.system x", "!!python/object:os.system"),
            ("!foo x", "!foo"),
            ("!foo {a: 1}", "!foo"),
            ("!!set {a}", "!!set"),
            ("!!binary aGk=", "!!binary"),
            ("!!omap []", "!!omap"),
            ("!!map []", "!!map"),
        ],
    )
    def test_unknown(self, value: str, shown: str) -> None:
        assert only(f"a: {value}")[:4] == ("yaml-tag", 1, 4, f'unknown tag "{shown}"')

    def test_wrong_value(self) -> None:
        assert only("a: !!int x")[3] == '"x" is not a value of the type "!!int"'


SYNTAX = [
    ("a:\n\tb: 1\n", "2:1", "a tab is used for indentation", "indent with spaces"),
    ("a:\n  - x\n \t- y\n", "3:2", "a tab is used for indentation", "indent with spaces"),
    ("-\ta: 1\n", "1:2", "a tab stands where YAML needs a space", "replace it"),
    ("a: b: c\n", "1:5", 'a value that contains ": " needs quotes', 'put quotes round it: "b: c"'),
    ('- a: say "x": c # d\n', "1:13", 'a value that contains ": " needs quotes', "'say \"x\": c'"),
    ("w: {file: ${{ inputs.source }}}\n", "1:11", 'unquoted "${{"', '"${{ inputs.source }}"'),
    ("w: [${{ x }}, ${{ y }}]\n", "1:5", 'unquoted "${{"', 'put quotes round it: "${{ x }}"'),
    ("a: {{ x }}\n", "1:4", 'unquoted "{{"', '"${{ x }}" for an expression, "{{ x }}" for plain text'),
    ("a: {{ x }} there\n", "1:4", 'unquoted "{{"', '"${{ x }} there" for an expression'),
    ("a: {{ 1 }}\n", "1:4", 'unquoted "{{"', '"${{ 1 }}"'),
    ("w: {b: {{ x }}, c: 1}\n", "1:8", 'unquoted "{{"', 'put quotes round it: "${{ x }}" for'),
    ("a: {% if x %}b{% endif %}\n", "1:4", 'unquoted "{%"', '"{% if x %}b{% endif %}"'),
    ("a: ${{ {'b': 1} }}\n", "1:4", 'unquoted "${{"', "\"${{ {'b': 1} }}\""),
    ("a: @foo\n", "1:4", 'text cannot begin with "@"', 'put quotes round it: "@foo"'),
    ("a: %foo # x\n", "1:4", 'text cannot begin with "%"', 'put quotes round it: "%foo"'),
    ("a: `foo`\n", "1:4", 'text cannot begin with "`"', 'put quotes round it: "`foo`"'),
    ("a: , b\n", "1:4", 'text cannot begin with ","', '", b"'),
    ("%foo: 1\n", "1:1", 'a line that begins with "%" is an instruction to YAML', "quotes"),
    ("a: *.mp4\n", "1:4", 'text that begins with "*" needs quotes', 'put quotes round it: "*.mp4"'),
    ("a: !important! x\n", "1:4", 'text that begins with "!" needs quotes', '"!important! x"'),
    ("a: [\n  b,\n", "3:1", "the file ends inside brackets", "close each"),
    ("a: & b\n", "1:4", 'text that begins with "&" needs quotes', 'put quotes round it: "& b"'),
    ('a: 1\nb: "foo\nc: 1\n', "2:4", "this quote is never closed", "add the closing quote"),
    ("a: 'it\nb: 1\n", "1:4", "this quote is never closed", "add the closing quote"),
    ("a: 'it's'\n", "1:8", "the quoted text ends before this", "it''s"),
    ('a: "say "hi" now"\n', "1:10", "the quoted text ends before this", "single quotes"),
    ('a: "\\ud83d\\ude00"\n', "1:5", "half a character (a surrogate)", "the character itself"),
    ('a: "C:\\path"\n', "1:7", '"\\p" is not an escape sequence', "double the backslash"),
    ("a: [1, 2\nb: 3\n", "1:4", '"[" is never closed', 'add "]"'),
    ("a: {x: 1\nb: 3\n", "1:4", '"{" is never closed', 'add "}"'),
    ("a: [1, 2", "1:4", '"[" is never closed', 'add "]"'),
    ('{\n "a": 1\n "b": 2\n}', "3:2", 'expected "," or "}"', "separate items"),
    ("a: [1]]\n", "1:7", '"]" closes nothing', "delete it"),
    ("a:\n  - x: 1\n  y: 2\n", "3:3", 'expected another list item ("- ")', 'begin it with "- "'),
    ("steps:\n  - id: a\n   with: c\n", "3:4", "wrong indentation in a list", "begin at column 3, and this at 4"),
    ("a:\n    b: 1\n  c: 2\n", "3:3", "wrong indentation", "begin at column 1, and this at 3"),
    ("a: 1\n  b: 2\n", "2:3", "this line is indented deeper than the one it follows", "siblings"),
    ("a: 1\n- b\n", "2:1", "a list item stands where a key should be", "line above"),
    ("a: 1\nb\nc: 2\n", "2:1", "this line has no key", '"key: value"'),
    ("a: 1\nb:2\nc: 2\n", "2:2", "there is no space after this colon", 'write "b: 2"'),
    ("a:1\nb: 2\n", "1:2", "there is no space after this colon", 'write "a: 1"'),
    ("a: 1\n: b\n", "2:1", "a key is missing before the colon", "write a name"),
    ("{: a}", "1:2", "a key is missing before the colon", "write a name"),
    ("- a\n-b: 1\n- c: 2\n", "2:1", "there is no space after this dash", 'write "- b: 1"'),
    ("a\n\nb: c: d\n", "1:1", "this line has no key", '"key: value"'),
    ("a: - b\n", "1:4", 'a list item ("- ") is not expected here', "on its own line"),
    ("a: | b\n", "1:6", 'nothing but a comment may follow "|"', "lines below"),
    ("a: ? b\n", "1:4", 'text that begins with "? " needs quotes', "quotes"),
]


PARSERS = {"C": yaml_builder.Parser, "pure": yaml.SafeLoader}
BOTH = [
    pytest.param(name, *case, id=f"{name}-{case[0][:20]}")
    for name in PARSERS
    for case in SYNTAX
    if not (name == "pure" and "\\ud83d" in case[0])  # the pure parser lets surrogates pass
]


@pytest.mark.parametrize(("parser", "text", "place", "message", "hint"), BOTH)
def test_syntax(parser: str, text: str, place: str, message: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_builder, "Parser", PARSERS[parser])
    code, line, column, found_message, found_hint = only(text)
    assert (code, f"{line}:{column}", found_message) == ("yaml-syntax", place, message)
    assert hint in found_hint


def test_the_pure_parser_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x {b: 1, c: [x, '1', ~]}\nd: *x\ne: |\n  ü\n"
    fast = load("f", text)
    monkeypatch.setattr(yaml_builder, "Parser", yaml.SafeLoader)
    pure = load("f", text)
    assert pure == fast
    assert [pure.place(p) for p in (("a", "c", 1), ("d", "c"), ("e",))] == [
        fast.place(p) for p in (("a", "c", 1), ("d", "c"), ("e",))
    ]


class TestPlaces:
    @pytest.fixture
    def source(self) -> Source:
        return load(
            "f",
            "base: &base\n  voice: a\n  opts: {x: 1}\n"
            "steps:\n  - id: one\n    with:\n      <<: *base\n      to: 'q'\n  - *base\n",
        )

    @pytest.mark.parametrize(
        ("path", "value", "key"),
        [
            ((), "1:1", "1:1"),
            (("base",), "1:7", "1:1"),
            (("base", "opts", "x"), "3:13", "3:10"),
            (("steps",), "5:3", "4:1"),
            (("steps", 0), "5:5", "5:5"),
            (("steps", 0, "id"), "5:9", "5:5"),
            (("steps", 0, "with", "to"), "8:11", "8:7"),
            (("steps", 0, "with", "voice"), "2:10", "2:3"),  # where it is written
            (("steps", 0, "with", "opts", "x"), "3:13", "3:10"),
            (("steps", 1), "1:7", "1:7"),
            (("steps", 1, "voice"), "2:10", "2:3"),
            # What does not exist: the key of the nearest ancestor.
            (("nothing",), "1:1", "1:1"),
            (("base", "nothing", 3), "1:1", "1:1"),
            (("steps", 0, "with", "nothing"), "6:5", "6:5"),
            (("steps", 0, "nothing"), "5:5", "5:5"),
            (("steps", 7), "4:1", "4:1"),
            (("steps", -1), "4:1", "4:1"),
            (("steps", "x"), "4:1", "4:1"),
            (("base", "voice", "x"), "2:3", "2:3"),
            (("base", 0), "1:1", "1:1"),
        ],
    )
    def test_place(self, source: Source, path: tuple[str | int, ...], value: str, key: str) -> None:
        assert str(source.place(path)) == f"f:{value}"
        assert str(source.place(path, key=True)) == f"f:{key}"

    def test_columns_are_code_points(self) -> None:
        assert load("f", "{ü😀: x, b: 1}").place(("b",), key=True) == Place("f", 1, 9)

    def test_lines(self) -> None:
        source = load("f", "a: 1\r\nb: 2\rc: 3\n")
        assert [source.line(n) for n in range(6)] == ["", "a: 1", "b: 2", "c: 3", "", ""]
        assert source.place(("c",)) == Place("f", 3, 4)


class TestPlaceInText:
    @pytest.mark.parametrize(
        ("text", "needle"),
        [
            ("a: |\n  one\n\n  two X\n", "X"),
            ("a: |-\n\n    one\n      two X\n", "X"),
            ("a:\n  - b\nt:\n  x: |2\n      three X\n", "X"),
            ("a: &x |  # why\n  one\n  two X\n", "X"),
            ("a: |\r\n  one\r\n  two X\r\n", "X"),
            ("a: plain ${{ X }}\n", "X"),
            ("a: !!str plain X\n", "X"),
            ("a: &n\n  plain X\n", "X"),
            ("a: 'it''s X'\n", "X"),
            ('a: "tab\\t \\"q\\" \\x41 \\u00e4 X"\n', "X"),
            ('a: "one\\ntwo X"\n', "X"),
        ],
    )
    def test_exact(self, text: str, needle: str) -> None:
        source = load("f", text)
        path: list[str | int] = ["t", "x"] if "t:\n  x" in text else ["a"]
        value = source.data
        for part in path:
            value = value[part]
        before = value[: value.index(needle)]
        offset = before.count("\n"), len(before) - before.rfind("\n") - 1
        place = source.place_in_text(path, *offset)
        assert source.line(place.line)[place.column - 1] == needle

    @pytest.mark.parametrize("text", ["a: >\n  one\n  X\n", "a: one\n  X\n", 'a: "one\n  X"\n', "a: 'one\n\n  X'\n"])
    def test_otherwise_the_value(self, text: str) -> None:
        source = load("f", text)
        place = source.place_in_text(["a"], 0, source.data["a"].index("X"))
        assert place == source.place(["a"]) == Place("f", 1, 4)

    def test_what_is_no_text(self) -> None:
        source = load("f", "a: 1\n")
        assert source.place_in_text(["a"], 0, 3) == Place("f", 1, 4)
        assert source.place_in_text(["b"], 0, 3) == Place("f", 1, 1)

    def test_through_an_alias(self) -> None:
        assert load("f", "a: &x |\n  one\n  two\nb: *x\n").place_in_text(["b"], 1, 1) == Place("f", 3, 4)
