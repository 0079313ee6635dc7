"""Axes: items from lists, expressions and files; keys, conditions, limits; and combinations of those that depend."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.jobs import STEP, read


def axes(spec: str) -> str:
    return "foreach:\n" + "".join(f"  {line}\n" for line in spec.splitlines()) + STEP


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with the same three people in every format."""
    people = [
        {"id": "C-1", "name": "Ada", "n": 1},
        {"id": "C-2", "name": "Bo", "n": 2},
        {"id": "C-3", "name": "Cy", "n": 3},
    ]
    (tmp_path / "p.csv").write_text("id,name,n\nC-1,Ada,1\nC-2,Bo,2\nC-3,Cy,3\n", encoding="utf-8-sig")
    (tmp_path / "p.tsv").write_text("id\tname\tn\nC-1\tAda\t1\nC-2\tBo\t2\nC-3\tCy\t3\n", encoding="utf-8")
    (tmp_path / "p.json").write_text(json.dumps(people), encoding="utf-8")
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(p) + "\n" for p in people), encoding="utf-8")
    (tmp_path / "p.yaml").write_text(json.dumps(people), encoding="utf-8")
    (tmp_path / "n.json").write_text("[3, 1, 2]", encoding="utf-8")
    return tmp_path


class TestSources:
    @pytest.mark.parametrize(
        ("spec", "keys"),
        [
            ("x: [es-ES, no, 1, 1.5, 007]", ["es-ES", "no", "1", "1.5", "007"]),
            ("x: ${{ ['b', 'a'] }}", ["b", "a"]),
            ("x: ['${{ job.name }}', b]", ["job", "b"]),
            ("x: {from: [b, a]}", ["b", "a"]),
            ("x: {from: p.csv, key: id}", ["C-1", "C-2", "C-3"]),
            ("x: {from: p.tsv, key: name}", ["Ada", "Bo", "Cy"]),
            ("x: {from: p.json, key: n}", ["1", "2", "3"]),
            ("x: {from: p.jsonl, key: id}", ["C-1", "C-2", "C-3"]),
            ("x: {from: p.yaml, key: id}", ["C-1", "C-2", "C-3"]),
            ("x: p.csv", ["1", "2", "3"]),
            ("x: n.json", ["3", "1", "2"]),
            ("x: {from: p.csv, key: '${{ x.name | lower }}'}", ["ada", "bo", "cy"]),
            ("x: {from: p.csv, key: id, where: x.n != '2'}", ["C-1", "C-3"]),
            ("x: {from: p.json, key: id, where: '${{ x.n > 1 }}'}", ["C-2", "C-3"]),
            ("x: {from: p.csv, key: id, limit: 2}", ["C-1", "C-2"]),
            ("x: {from: p.csv, key: id, limit: 0}", []),
            ("x: {from: p.csv, key: id, where: x.n != '1', limit: 1}", ["C-2"]),
            ("x: {from: [a, b], max_items: 2}", ["a", "b"]),
        ],
    )
    def test_items(self, data: Path, spec: str, keys: list[str]) -> None:
        loaded = read(data, axes(spec))
        assert not loaded.problems.failed, loaded.diagnostics
        assert loaded.keys("x") == [(key,) for key in keys]

    def test_rows_are_their_values(self, data: Path) -> None:
        loaded = read(data, axes("x: {from: p.csv, key: id}"))
        assert loaded.bound is not None
        first = next(loaded.bound.axes.combinations(("x",))).items["x"]
        assert (first.value, first.line) == ({"id": "C-1", "name": "Ada", "n": "1"}, 2)

    def test_a_schema_types_the_cells(self, data: Path) -> None:
        (data / "s.json").write_text('{"properties": {"n": {"type": "integer"}}}', encoding="utf-8")
        for schema in ("s.json", "{properties: {n: {type: integer}}}"):
            loaded = read(data, axes(f"x: {{from: p.csv, key: id, schema: {schema}, where: x.n > 1}}"))
            assert loaded.codes == []
            assert loaded.keys("x") == [("C-2",), ("C-3",)]


class TestProblems:
    @pytest.mark.parametrize(
        ("spec", "code", "message"),
        [
            ("x: nothing.csv", "data-missing", "there is no file"),
            ("x: some text", "axis-source", '"some text" is neither a list, an expression nor a data file'),
            ("x: '${{ job.name }}'", "axis-source", 'the axis "x" is text, not a list'),
            ("x: {from: [a, a]}", "duplicate-key", 'the key "a" of the axis "x" is not unique'),
            ("x: ['1', 1]", "duplicate-key", 'the key "1"'),
            ("x: {from: p.csv, key: nme}", "unknown-column", 'the key "nme", which is no column of p.csv'),
            ("x: {from: p.json, key: nme}", "missing-key-value", 'item 1 of the axis "x" has no "nme"'),
            ("x: {from: [a, b, c], max_items: 2}", "too-many-items", 'the axis "x" has more than 2 items'),
            ("x: {from: [a, b, c], max_items: 2, limit: 1}", "too-many-items", "more than 2 items"),
            ("x: {from: p.csv, key: id, where: x.n}", "expression", "the result is text, not true or false"),
            ("x: {from: p.csv, key: id, where: x.nn == '1'}", "unknown-column", 'p.csv has no column "nn"'),
            ("x: {from: p.csv, key: id, where: y == 1}", "unknown-axis", 'there is no axis or context "y"'),
            ("x: {from: p.csv, key: id, schema: nothing.json}", "schema-file", "nothing.json"),
            ("x: {from: p.csv, key: id, schema: p.csv}", "schema-file", "is not JSON"),
            ("x: {from: p.csv, key: id, schema: {type: objekt}}", "schema-file", "not a valid JSON Schema"),
            ("x: {from: [1, a], schema: {type: integer}}", "wrong-type", 'item 2: "a" is not a whole number'),
            ("x: ['${{ y }}']\ny: [a]", "unavailable-name", 'the axis "y" is not available in the axis "x"'),
            ("x: ['${{ steps.one.outputs.text }}']", "unavailable-name", '"steps" is not available'),
            ("x: {from: [a], kee: id}", "unknown-key", 'unknown key "kee"'),
            ("X: [a]", "invalid-value", '"X"'),
        ],
    )
    def test_each_is_named(self, data: Path, spec: str, code: str, message: str) -> None:
        found = [problem for problem in read(data, axes(spec)).diagnostics if problem.code == code]
        assert found
        assert message in found[0].message

    def test_duplicates_in_a_file_name_both_lines(self, data: Path) -> None:
        (data / "d.csv").write_text("n,id\n1,a\n2,b\n3,a\n", encoding="utf-8")
        (problem,) = read(data, axes("x: {from: d.csv, key: id}")).diagnostics
        assert (Path(problem.place.file).name, problem.place.line, problem.place.column) == ("d.csv", 4, 3)
        assert problem.related[0][0].line == 2

    def test_an_axis_named_like_a_context(self, data: Path) -> None:
        assert read(data, axes("inputs: [a]")).problems.failed
        assert read(data, axes("steps: [a]")).problems.failed

    def test_bad_rows_fail_or_are_left_out(self, data: Path) -> None:
        (data / "b.csv").write_text("id,n\na,1\nb\nc,x\nd,2\n", encoding="utf-8")
        spec = "x: {from: b.csv, key: id, schema: {properties: {n: {type: integer}}}%s}"
        failing = read(data, axes(spec % ""))
        assert [(p.code, p.severity, p.place.line) for p in failing.diagnostics] == [
            ("bad-row", "error", 3), ("bad-row", "error", 4),
        ]  # fmt: skip
        skipping = read(data, axes(spec % ", on_bad_row: skip"))
        assert [(p.code, p.severity, p.place.line) for p in skipping.diagnostics] == [
            ("bad-row", "warning", 3), ("bad-row", "warning", 4),
        ]  # fmt: skip
        assert skipping.keys("x") == [("a",), ("d",)]

    def test_an_empty_axis_is_a_warning(self, data: Path) -> None:
        loaded = read(data, axes("x: []"))
        assert [(p.code, p.severity) for p in loaded.diagnostics] == [("empty-axis", "warning")]

    def test_rows_without_a_key_are_a_warning(self, data: Path) -> None:
        loaded = read(data, axes("x: p.csv"))
        assert [(p.code, p.severity) for p in loaded.diagnostics] == [("no-key", "warning")]

    @pytest.mark.parametrize(
        "spec",
        [
            "x: ${{ inputs.gone }}",
            "x: ['${{ inputs.gone }}']",
            "x: {from: [a], where: x == inputs.gone}",
            "x: {from: [a], key: '${{ inputs.gone }}'}",
            "x: {from: p.csv, key: id, where: x.id in inputs.gone}",
        ],
    )
    def test_a_missing_input_is_one_problem(self, data: Path, spec: str) -> None:
        loaded = read(data, "inputs: {gone: {type: string}}\n" + axes(spec))
        assert loaded.codes == ["missing-input"]


class TestCombinations:
    DEPENDENT = (
        "row:\n  from: [{id: a, langs: [es, de]}, {id: b, langs: [de, fr]}, {id: c, langs: []}]\n  key: id\n"
        "lang: ${{ row.langs }}\n"
        "free: ['1', '2']"
    )

    def test_later_axes_may_depend_on_earlier_ones(self, data: Path) -> None:
        loaded = read(data, axes(self.DEPENDENT))
        assert not loaded.problems.failed, loaded.diagnostics
        assert loaded.keys("row", "lang") == [("a", "es"), ("a", "de"), ("b", "de"), ("b", "fr")]

    def test_a_projection_has_each_value_once(self, data: Path) -> None:
        loaded = read(data, axes(self.DEPENDENT))
        assert loaded.keys("lang") == [("es",), ("de",), ("fr",)]
        assert loaded.keys("row") == [("a",), ("b",), ("c",)]
        assert loaded.keys("lang", "free") == [(lang, n) for lang in ("es", "de", "fr") for n in ("1", "2")]

    def test_no_axis_is_one_combination(self, data: Path) -> None:
        assert read(data, axes(self.DEPENDENT)).keys() == [()]

    def test_a_dependent_problem_is_counted_once_per_row(self, data: Path) -> None:
        loaded = read(data, axes("row: {from: p.csv, key: id}\nlang: {from: [es], where: row.name}"))
        found = [problem for problem in loaded.diagnostics if problem.code == "expression"]
        assert 1 <= len(found) <= 3
        assert not any("tasks in all" in problem.message for problem in loaded.diagnostics)

    def test_a_limit_does_not_change_keys(self, data: Path) -> None:
        full = read(data, axes("x: p.csv")).keys("x")
        assert read(data, axes("x: {from: p.csv, limit: 1}")).keys("x") == full[:1]
