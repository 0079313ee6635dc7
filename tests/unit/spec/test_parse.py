"""From a source to a job: shape, expressions, operations, defaults; and values as trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.jobs import STEP, read

from callsheet.core.money import Money

if TYPE_CHECKING:
    from pathlib import Path


def test_a_job_has_what_was_written(tmp_path: Path) -> None:
    loaded = read(
        tmp_path,
        "description: d\nbudget: {max: 60 USD, per_task: 2 USD, unknown: allow}\nconcurrency: 3\n"
        "defaults: {look: {with: {number: 1, map: {a: 1, b: 1}}, timeout: 5m, retry: {attempts: 2}}}\n"
        "x-note: {anything: [goes]}\n"
        "steps:\n  - id: one\n    uses: look\n    description: first\n    x-why: because\n"
        "    with: {text: x, map: {b: '${{ job.name }}'}}\n    retry: {on: [network]}\n"
        "    continue_on_error: [network]\n"
        "  - {id: two, uses: look, with: {text: y}, timeout: 90s, continue_on_error: true}\n",
    )
    assert loaded.codes == []
    job = loaded.job
    assert (job.name, job.description, job.concurrency, job.folder) == ("job", "d", 3, str(tmp_path))
    assert (job.budget.maximum, job.budget.per_task) == (Money.parse("60 USD"), Money.parse("2 USD"))
    assert job.budget.allow_unknown is True
    one, two = job.steps.values()
    assert (one.timeout, one.retry.attempts, one.retry.on) == (300.0, 2, frozenset({"network"}))
    assert one.continue_on == frozenset({"network"})
    assert one.inputs.entries is not None
    assert one.inputs.at(("map", "a")).constant == 1
    assert one.inputs.at(("map", "b")).located is not None
    assert (two.timeout, two.continue_on, two.provider) == (90.0, True, "studio")
    assert two.inputs.at(("number",)).constant == 1


def test_every_value_has_its_place(tmp_path: Path) -> None:
    loaded = read(tmp_path, "steps:\n  - id: one\n    uses: look\n    with: {text: x, map: {a: [1, b]}}\n")
    inputs = loaded.job.steps["one"].inputs

    def column(*path: str | int) -> tuple[int, int]:
        place = inputs.at(path).place
        return place.line, place.column

    assert column("text") == (7, 18)
    assert column("map", "a") == (7, 30)
    assert column("map", "a", 1) == (7, 34)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("steps: []\n", "out-of-range", 4),
        ("steps: {}\n", "wrong-type", 4),
        ("step: []\n" + STEP, "unknown-key", 4),
        ("steps:\n  - {id: One, uses: look}\n", "invalid-value", 5),
        ("steps:\n  - {id: a-b, uses: look}\n", "invalid-value", 5),
        ("steps:\n  - {uses: look}\n", "missing-key", 5),
        ("steps:\n  - {id: one}\n", "missing-key", 5),
        ("steps:\n  - {id: one, uses: look, timeout: soon}\n", "wrong-type", 5),
        ("steps:\n  - {id: one, uses: look, retry: {attempts: 0}}\n", "out-of-range", 5),
        ("steps:\n  - {id: one, uses: look, retry: {on: [weather]}}\n", "not-allowed", 5),
        ("steps:\n  - {id: one, uses: look, if: 5}\n", "wrong-type", 5),
        ("budget: {max: 60}\n" + STEP, "wrong-type", 4),
        ("concurrency: 0\n" + STEP, "out-of-range", 4),
        ("inputs: {a: {type: vidoe}}\n" + STEP, "not-allowed", 4),
        ("inputs: {a: {typ: video}}\n" + STEP, "unknown-key", 4),
        ("foreach: {a: 5}\n" + STEP, "wrong-type", 4),
    ],
)
def test_the_shape(tmp_path: Path, text: str, code: str, line: int) -> None:
    found = [(problem.code, problem.place.line) for problem in read(tmp_path, text).diagnostics]
    assert (code, line) in found


@pytest.mark.parametrize("name", ["Job", "-job", "a_b", "", "a b"])
def test_a_name_has_a_form(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, STEP, head=f"version: 1\nname: '{name}'\nprovider: studio\n").codes == ["invalid-value"]


@pytest.mark.parametrize("key", ["on_failure", "finally"])
def test_steps_at_the_end_are_not_known_yet(tmp_path: Path, key: str) -> None:
    end = f"{key}:\n  - {{id: report, uses: look, with: {{text: x}}}}\n"
    assert read(tmp_path, STEP + end).codes == ["unknown-key"]


@pytest.mark.parametrize("key", ["resubmit: {attempts: 1}", "resolve: x", "approve: x"])
def test_keys_of_a_step_that_are_not_known_yet(tmp_path: Path, key: str) -> None:
    step = f"steps:\n  - {{id: one, uses: look, with: {{text: x}}, {key}}}\n"
    assert read(tmp_path, step).codes == ["unknown-key"]


class TestOperations:
    @pytest.mark.parametrize(
        ("head", "step", "name"),
        [
            ("provider: studio\n", "uses: dub", "studio/dub"),
            ("", "uses: dub, provider: studio", "studio/dub"),
            ("provider: heygen\n", "uses: dub, provider: studio", "studio/dub"),
            ("", "uses: studio/dub", "studio/dub"),
        ],
    )
    def test_who_does_it(self, tmp_path: Path, head: str, step: str, name: str) -> None:
        text = f"steps:\n  - {{id: one, {step}, with: {{video: 'https://x.test/a.mp4', language: de}}}}\n"
        loaded = read(tmp_path, text, head="version: 1\nname: job\n" + head)
        assert loaded.codes == []
        assert loaded.job.steps["one"].operation.name == name

    def test_the_project_has_the_last_word(self, tmp_path: Path) -> None:
        loaded = read(tmp_path, STEP, head="version: 1\nname: job\n", provider="studio")
        assert loaded.job.steps["one"].operation.name == "studio/look"

    @pytest.mark.parametrize(
        ("head", "step", "line", "column"),
        [("provider: stduio\n", "uses: dub", 3, 11), ("provider: studio\n", "uses: dub, provider: stduio", 5, 36)],
    )
    def test_an_unknown_provider_is_shown_where_it_is_named(
        self, tmp_path: Path, head: str, step: str, line: int, column: int
    ) -> None:
        loaded = read(tmp_path, f"steps:\n  - {{id: one, {step}}}\n", head="version: 1\nname: job\n" + head)
        assert loaded.only()[:3] == ("unknown-provider", line, column)


class TestBareBraces:
    @pytest.mark.parametrize(
        "text", ["{{ job.name }}", "a {{ lang }}", "{{lang}}", "{{- lang }}", "{{ inputs['a'] }}", "{{ lang | upper }}"]
    )
    def test_a_context_in_bare_braces_is_an_error(self, tmp_path: Path, text: str) -> None:
        job = f'foreach: {{lang: [a]}}\nsteps:\n  - id: one\n    uses: look\n    with:\n      text: "{text}"\n'
        (problem,) = read(tmp_path, job).diagnostics
        assert problem.code == "expression-bare"
        assert (problem.place.line, problem.place.column) == (9, 14 + text.index("{{"))
        assert problem.hint.startswith('write it as an expression: "${{')

    @pytest.mark.parametrize(
        "text", ["{{ first_name }}", "{{ language }}", "{{ Row.x }}", "$${{ lang }}", "{ lang }", "{{ first.lang }}"]
    )
    def test_marketing_tags_pass(self, tmp_path: Path, text: str) -> None:
        job = f'foreach: {{lang: [a]}}\nsteps:\n  - {{id: one, uses: look, with: {{text: "{text}"}}}}\n'
        assert read(tmp_path, job).codes == []
