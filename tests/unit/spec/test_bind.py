"""Inputs: from flags, files, the environment and defaults, each read as its declared type; then the variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.jobs import STEP, read

from callsheet.core.values import Deferred, Media
from callsheet.errors import UsageError
from callsheet.spec.load import given_inputs

if TYPE_CHECKING:
    from pathlib import Path


def declared(spec: str) -> str:
    return f"inputs:\n  x: {spec}\n" + STEP


@pytest.mark.parametrize(
    ("spec", "text", "value"),
    [
        ("{type: string}", "007", "007"),
        ("{type: string}", "", ""),
        ("{type: string}", "a=b", "a=b"),
        ("{type: integer}", "7", 7),
        ("{type: integer}", "-7", -7),
        ("{type: number}", "1.5", 1.5),
        ("{type: number}", "2", 2.0),
        ("{type: boolean}", "true", True),
        ("{type: boolean}", "No", False),
        ("{type: boolean}", "1", True),
        ("{type: array, items: {type: language}}", "es-ES, fr-FR", ["es-ES", "fr-FR"]),
        ("{type: array, items: {type: integer}}", "1,2", [1, 2]),
        ("{type: array, items: {type: integer}}", "[1, 2]", [1, 2]),
        ("{type: array, items: {type: string}}", "", []),
        ("{type: object}", '{"a": [1]}', {"a": [1]}),
        ("{type: language}", "pt-BR", "pt-BR"),
        ("{type: duration}", "90s", "90s"),
        ("{type: money}", "60 USD", "60 USD"),
        ("{enum: [a, b]}", "b", "b"),
    ],
)
def test_flags_are_read_as_the_type(tmp_path: Path, spec: str, text: str, value: Any) -> None:
    loaded = read(tmp_path, declared(spec), given={"x": text})
    assert loaded.codes == []
    assert loaded.names()["inputs"] == {"x": value}
    assert type(loaded.names()["inputs"]["x"]) is type(value)


@pytest.mark.parametrize(
    ("spec", "text", "message"),
    [
        ("{type: integer}", "seven", '"seven" cannot be read as integer'),
        ("{type: integer}", "1.5", '"1.5" cannot be read as integer'),
        ("{type: integer}", "1_000", '"1_000" cannot be read as integer'),
        ("{type: number}", "nan", '"nan" cannot be read as number'),
        ("{type: number}", "inf", '"inf" cannot be read as number'),
        ("{type: boolean}", "maybe", '"maybe" cannot be read as boolean'),
        ("{type: object}", "a", '"a" cannot be read as object'),
        ("{type: object}", "[1]", "a list is not a map"),
        ("{type: array, items: {type: integer}}", "1,x", '[1]: "x" is not a whole number'),
        ("{type: array, items: {type: language}}", "es-ES,xx", '[1]: "xx" is not a language tag'),
        ("{type: language}", "spanish", '"spanish" is not a language tag'),
        ("{type: money}", "60", '"60" is not an amount of money'),
        ("{type: integer, minimum: 3}", "2", "2 is less than 3"),
        ("{enum: [a, b]}", "c", '"c" is not allowed here'),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, spec: str, text: str, message: str) -> None:
    loaded = read(tmp_path, declared(spec), given={"x": text})
    (problem,) = loaded.diagnostics
    assert problem.message.startswith('the input "x"')
    assert message in problem.message
    assert str(problem.place) == "-i"
    assert isinstance(loaded.names()["inputs"]["x"], Deferred)


def test_the_order_of_sources(tmp_path: Path) -> None:
    (tmp_path / "in.yaml").write_text("a: file\nb: file\nno: no\n", encoding="utf-8")
    job = "".join(f"  {n}: {{type: string, default: default, env: {n.upper()}}}\n" for n in ("a", "b", "c", "d", "no"))
    loaded = read(
        tmp_path, "inputs:\n" + job + STEP,
        given={"a": "flag"}, inputs_file=str(tmp_path / "in.yaml"), env={"A": "env", "B": "env", "C": "env"},
    )  # fmt: skip
    assert loaded.codes == []
    assert loaded.names()["inputs"] == {"a": "flag", "b": "file", "c": "env", "d": "default", "no": "no"}


def test_a_file_has_types_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"x": "7"}', encoding="utf-8")
    loaded = read(tmp_path, declared("{type: integer}"), inputs_file=str(tmp_path / "in.json"))
    (problem,) = loaded.diagnostics
    assert problem.message == 'the input "x": "7" is not a whole number'
    assert (problem.place.file, problem.place.line, problem.place.column) == (str(tmp_path / "in.json"), 1, 7)


@pytest.mark.parametrize(("text", "code"), [("- a\n", "wrong-type"), ("y: 1\n", "unknown-input")])
def test_a_wrong_file(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "in.yaml").write_text(text, encoding="utf-8")
    loaded = read(tmp_path, declared("{type: integer, default: 1}"), inputs_file=str(tmp_path / "in.yaml"))
    assert loaded.codes == [code]


def test_a_stranger(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, declared("{type: string, default: a}"), given={"xx": "1"}).diagnostics
    assert (problem.code, problem.message) == ("unknown-input", 'the job has no input "xx"')
    assert 'did you mean "x"' in problem.hint


def test_missing_and_optional(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, declared("{type: string, env: X}")).diagnostics
    assert (problem.code, problem.hint) == ("missing-input", "give it: -i x=…, or set X")
    assert read(tmp_path, declared("{type: string, required: false}")).names()["inputs"] == {"x": None}
    assert read(tmp_path, declared("{type: string, default: null, required: false}")).codes == ["wrong-type"]


def test_media_are_looked_at_once_and_relative_to_the_job(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")
    loaded = read(tmp_path, declared("{type: array, items: {type: file}}"), given={"x": "a.txt,https://x.test/b"})
    first, second = loaded.names()["inputs"]["x"]
    assert (first.path, first.bytes, first.mime) == (str(tmp_path / "a.txt"), 4, "text/plain")
    assert second == Media("file", url="https://x.test/b")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("nothing.mp4", "media-file"),
        ("http://x.test/a", "media-url"),
        ("../up.mp4", "media-outside"),
        ("", "wrong-type"),
    ],
)
def test_media_that_cannot_be_used(tmp_path: Path, given: str, code: str) -> None:
    assert read(tmp_path, declared("{type: video}"), given={"x": given}).codes == [code]


def test_files_need_not_exist_when_told_so(tmp_path: Path) -> None:
    loaded = read(tmp_path, declared("{type: video, default: nothing.mp4}"), look=False)
    assert loaded.codes == []
    assert loaded.names()["inputs"]["x"] == Media("video", path=str(tmp_path / "nothing.mp4"))


def test_objects_with_parts(tmp_path: Path) -> None:
    spec = (
        "{type: object, properties: {a: {type: integer}, b: {type: string, default: y}}, additionalProperties: false}"
    )
    assert read(tmp_path, declared(spec), given={"x": '{"a": 1}'}).codes == []
    assert read(tmp_path, declared(spec), given={"x": '{"b": "1"}'}).codes == ["missing-key"]
    assert read(tmp_path, declared(spec), given={"x": '{"a": 1, "c": 1}'}).codes == ["unknown-key"]


class TestVariables:
    def test_they_see_inputs_the_environment_the_job_and_those_above(self, tmp_path: Path) -> None:
        loaded = read(
            tmp_path,
            "inputs: {x: {type: integer, default: 2}}\n"
            "vars:\n"
            "  a: ${{ inputs.x + 1 }}\n"
            "  b: {c: ['${{ vars.a }}', no]}\n"
            "  d: ${{ job.name }} ${{ env.HOST }}\n" + STEP,
            env={"HOST": "h", "OTHER": "o"},
            env_names=frozenset({"HOST"}),
        )
        assert loaded.codes == []
        assert loaded.names()["vars"] == {"a": 3, "b": {"c": [3, "no"]}, "d": "job h"}

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            ("${{ env.SECRET }}", "unknown-environment-variable"),
            ("${{ vars.later }}", "unknown-variable"),
            ("${{ vars.a }}", "unknown-variable"),
            ("${{ steps.one.outputs.text }}", "unavailable-name"),
            ("${{ job.id }}", "unknown-job-fact"),
            ("${{ now }}", "unknown-name"),
        ],
    )
    def test_what_they_do_not_see(self, tmp_path: Path, value: str, code: str) -> None:
        loaded = read(tmp_path, f"vars:\n  a: {value}\n  later: 1\n" + STEP, env={"SECRET": "s"})
        assert code in loaded.codes

    def test_one_that_fails_is_reported_once(self, tmp_path: Path) -> None:
        text = "inputs: {m: {type: object, default: {a: 1}}}\nvars:\n  a: ${{ inputs.m.b }}\n  c: ${{ vars.a }}\n"
        code, line, _, message = read(tmp_path, text + STEP).only()
        assert (code, line) == ("expression", 6)
        assert 'there is no "b"' in message


def test_flags() -> None:
    assert given_inputs(("a=1", "b=x=y", "a=2"), None).texts == {"a": "2", "b": "x=y"}
    with pytest.raises(UsageError, match='"-i a" has no value'):
        given_inputs(("a",), None)
