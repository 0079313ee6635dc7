"""Static checks: every reference leads somewhere, types fit, nothing waits for itself, and all of it has a place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.jobs import read

if TYPE_CHECKING:
    from pathlib import Path

LOOK = "  - {id: one, uses: look, with: {text: x}}\n"


def text(value: str, more: str = "", before: str = "") -> str:
    """A job whose second step has this text, on line 7 from column 20 when nothing comes before."""
    return f"{before}steps:\n{LOOK}  - id: two\n    uses: look\n    with: {{text: '{value}'}}\n{more}"


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ("${{ steps.oen.outputs.text }}", "unknown-step", 'there is no step "oen"'),
        ("${{ steps.one.outputs.txt }}", "unknown-output", 'the step "one" (look) has no output "txt"'),
        ("${{ steps.one.output.text }}", "unknown-step-part", 'the step "one" has no "output"'),
        ("${{ steps.one }}", "unknown-step-part", 'the step "one" is not a value by itself'),
        ("${{ steps[job.name].outputs.text }}", "dynamic-step", "a step cannot be chosen by a computed name"),
        ("${{ inputs.nothing }}", "unknown-input", 'there is no input "nothing"'),
        ("${{ vars.nothing }}", "unknown-variable", 'there is no variable "nothing"'),
        ("${{ env.HOME }}", "unknown-environment-variable", 'there is no environment variable "HOME"'),
        ("${{ job.nothing }}", "unknown-job-fact", 'there is no job fact "nothing"'),
        ("${{ lang }}", "unknown-name", 'there is no axis or context "lang"'),
        ("${{ outputs.text }}", "unavailable-name", '"outputs" is not available in `with`'),
        ("x ${{ steps.oen.outputs.text }}", "unknown-step", 'there is no step "oen"'),
        ("${{ steps.oen.outputs.text | default(1) }}", "unknown-step", 'there is no step "oen"'),
    ],
)
def test_a_reference_that_leads_nowhere(tmp_path: Path, value: str, code: str, message: str) -> None:
    found = read(tmp_path, text(value)).only()
    expected = 19 + value.index("${{") + 4
    assert (found[0], found[1], found[2]) == (code, 8, expected)
    assert message in found[3]


@pytest.mark.parametrize(
    "value",
    [
        "${{ steps.one.outputs.text }}",
        '${{ steps["one"].outputs["text"] }}',
        "${{ steps.one.all | length }}",
        "${{ vars.a }} ${{ job.name }} ${{ job.dir }} ${{ job.file }}",
        "${{ range(3) | length }}",
        "{% for x in vars.list %}${{ x }}${{ loop.index }}{% endfor %}",
        "{% if vars.a %}{% set y = 1 %}{% else %}{% set y = 2 %}{% endif %}${{ y }}",
    ],
)
def test_references_that_are_fine(tmp_path: Path, value: str) -> None:
    before = "inputs: {a: {type: string, default: x}}\nvars: {a: x, list: [1]}\n"
    assert read(tmp_path, text(value, before=before)).codes == []


@pytest.mark.parametrize(
    "value", ["${{ row.get('nick', '') }}", "${{ row.keys() | join }}", "${{ row.nick | default('') }}"]
)
def test_methods_of_a_row_are_no_columns(tmp_path: Path, value: str) -> None:
    (tmp_path / "p.csv").write_text("id,name\n1,Ada\n", encoding="utf-8")
    step = f'  - id: one\n    uses: look\n    with: {{text: "{value}"}}\n'
    job = f"foreach: {{row: {{from: p.csv, key: id}}}}\nsteps:\n{step}"
    assert read(tmp_path, job).codes == []


def test_an_axis_used_only_in_a_loop_counts(tmp_path: Path) -> None:
    value = "{% for row in row.parts %}${{ row }}{% endfor %}"
    loaded = read(
        tmp_path,
        f"foreach: {{row: [{{parts: [a]}}]}}\nsteps:\n  - id: one\n    uses: look\n    with: {{text: '{value}'}}\n",
    )
    assert loaded.job.steps["one"].axes == ("row",)


class TestOrder:
    def test_a_cycle_is_named(self, tmp_path: Path) -> None:
        loaded = read(
            tmp_path,
            "steps:\n"
            "  - {id: a, uses: look, with: {text: '${{ steps.b.outputs.text }}'}}\n"
            "  - {id: b, uses: look, needs: [c], with: {text: x}}\n"
            '  - {id: c, uses: look, with: {text: "${{ steps.a.all | length }}"}}\n',
        )
        code, line, _, message = loaded.only()
        assert (code, line) == ("cycle", 5)
        assert message == 'these steps wait for each other: "a" → "b" → "c" → "a"'

    @pytest.mark.parametrize("step", ["needs: [a], with: {text: x}", "with: {text: '${{ steps.a.outputs.text }}'}"])
    def test_a_step_that_waits_for_itself(self, tmp_path: Path, step: str) -> None:
        loaded = read(tmp_path, f"steps:\n  - {{id: a, uses: look, {step}}}\n")
        assert loaded.only()[3] == 'these steps wait for each other: "a" → "a"'

    def test_needs_that_is_no_step(self, tmp_path: Path) -> None:
        code, line, _, message = read(tmp_path, "steps:\n  - {id: a, uses: look, needs: [b], with: {text: x}}\n").only()
        assert (code, line, message) == ("unknown-step", 5, '"a" needs "b", which is no step')


class TestAxes:
    FOREACH = "foreach: {row: [a], lang: [b]}\n"

    def test_axes_come_through_what_a_step_reads(self, tmp_path: Path) -> None:
        loaded = read(
            tmp_path,
            self.FOREACH + "steps:\n"
            "  - {id: a, uses: look, with: {text: '${{ lang }}'}}\n"
            "  - {id: b, uses: look, if: row == 'a', with: {text: '${{ steps.a.outputs.text }}'}}\n"
            "  - {id: c, uses: look, needs: [b], require: [\"lang == 'b'\"], with: {text: x}}\n"
            "  - {id: d, uses: look, with: {text: '${{ steps.b.all | length }}'}}\n"
            "  - {id: e, uses: look, ensure: [\"row == 'a'\"], with: {text: x}}\n",
        )
        assert loaded.codes == []
        assert {name: step.axes for name, step in loaded.job.steps.items()} == {
            "a": ("lang",), "b": ("row", "lang"), "c": ("lang",), "d": (), "e": ("row",),
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("per", "good"), [("[row, lang]", True), ("[lang, row]", True), ("[row]", False), ("[]", False)]
    )
    def test_per_asserts_them(self, tmp_path: Path, per: str, good: bool) -> None:
        job = (
            self.FOREACH
            + f"steps:\n  - {{id: a, uses: look, per: {per}, with: {{text: '${{{{ lang }}}}${{{{ row }}}}'}}}}\n"
        )
        loaded = read(tmp_path, job)
        assert loaded.codes == ([] if good else ["per"])
        if not good:
            assert loaded.only()[3].startswith('"a" runs per [row, lang], not per [')

    def test_per_of_an_axis_that_is_not_there(self, tmp_path: Path) -> None:
        loaded = read(tmp_path, self.FOREACH + "steps:\n  - {id: a, uses: look, per: [lagn], with: {text: x}}\n")
        assert loaded.codes == ["unknown-axis"]

    def test_outputs_carry_none(self, tmp_path: Path) -> None:
        job = self.FOREACH + "steps:\n  - {id: a, uses: look, with: {text: '${{ lang }}'}}\noutputs:\n  x: "
        assert read(tmp_path, job + "${{ steps.a.all }}\n").codes == []
        assert read(tmp_path, job + "${{ steps.a.outputs.text }}\n").only()[:3] == ("axis-in-outputs", 8, 10)
        assert read(tmp_path, job + "${{ lang }}\n").only()[:3] == ("unavailable-name", 8, 10)


class TestTypes:
    @pytest.mark.parametrize(
        ("uses", "inputs", "output", "message"),
        [
            ("dub", "{video: X, language: de}", "steps.say.outputs.audio", '"video" takes video, but this is audio'),
            ("look", "{text: X}", "steps.say.outputs.audio", '"text" takes a string, but this is audio'),
            ("look", "{text: X}", "steps.say.outputs.seconds", '"text" takes a string, but this is a number'),
            ("look", "{text: t, number: X}", "steps.see.outputs.text", '"number" takes a number, but this is a string'),
            ("look", "{text: t, number: X}", "steps.say.outputs.seconds", None),
            ("upload", "{file: X}", "steps.say.outputs.audio", None),
            ("look", "{text: t, list: X}", "steps.see.outputs.words", None),
            ("look", "{text: t, list: X}", "steps.see.outputs.text", '"list" takes an array, but this is a string'),
        ],
    )
    def test_outputs_into_inputs(
        self, tmp_path: Path, uses: str, inputs: str, output: str, message: str | None
    ) -> None:
        quoted = '"${{ ' + output + ' }}"'
        loaded = read(
            tmp_path,
            "steps:\n  - {id: say, uses: speech, with: {text: x}}\n  - {id: see, uses: look, with: {text: x}}\n"
            f"  - {{id: use, uses: {uses}, with: {inputs.replace('X', quoted)}}}\n",
        )
        assert loaded.codes == ([] if message is None else ["type-mismatch"])
        if message is not None:
            (problem,) = loaded.diagnostics
            assert problem.message == message
            assert problem.place.line == 7
            assert [(place.line, said) for place, said in problem.related] == [
                (5 if ".say." in output else 6, f'"{output.split(".")[1]}" is declared here')
            ]


def test_all_problems_at_once_in_file_order(tmp_path: Path) -> None:
    loaded = read(
        tmp_path,
        "foreach: {x: {from: [a], where: y}}\n"
        "steps:\n"
        "  - {id: a, uses: nothing}\n"
        "  - {id: b, uses: look, with: {text: '${{ steps.c.outputs.text }} ${{ inputs.z }}'}}\n"
        "outputs: {o: '${{ vars.v }}'}\n",
    )
    assert loaded.codes == ["unknown-axis", "unknown-operation", "unknown-step", "unknown-input", "unknown-variable"]
