"""Plans: how many tasks, in what order, what is decided about each, why, and at what price."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.studio import ENV, Studio

from callsheet.core.states import Decision
from callsheet.core.values import Deferred, Media, PlannedMedia
from callsheet.errors import Rejected, SpecError
from callsheet.state import State, memory_state
from callsheet.testing import plan_job, run_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from callsheet.core.diagnostics import Diagnostic
    from callsheet.plan.model import Plan

HEAD = "version: 1\nname: job\nprovider: studio\n"
DUB = """\
  - id: dub
    uses: dub
    with: {video: clip.mp4, language: es-ES}
"""


class Desk:
    """Plans and runs of one job in one folder with one state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.studio = Studio()
        self.state: State = memory_state()

    def plan(self, text: str, **inputs: str) -> Plan:
        return plan_job(
            HEAD + text, {"studio": self.studio}, inputs=inputs, folder=self.folder, state=self.state, env=ENV
        )

    def run(self, text: str, **options: Any) -> Any:
        return run_job(HEAD + text, {"studio": self.studio}, folder=self.folder, state=self.state, env=ENV, **options)

    def problems(self, text: str, **inputs: str) -> list[Diagnostic]:
        with pytest.raises(SpecError) as caught:
            self.plan(text, **inputs)
        return caught.value.diagnostics

    def codes(self, text: str) -> list[str]:
        return [problem.code for problem in self.problems(text)]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    # The beginning of a film is enough for the kind; what it plays is not looked at here.
    (tmp_path / "clip.mp4").write_bytes((CASES / "media/clip.mp4").read_bytes())
    (tmp_path / "copy.mp4").write_bytes((CASES / "media/clip.mp4").read_bytes())
    with wave.open(str(tmp_path / "voice.wav"), "wb") as sound:
        sound.setparams((1, 1, 8000, 0, "NONE", ""))
        sound.writeframes(b"\x80" * 800)
    (tmp_path / "note.txt").write_text("note", encoding="utf-8")
    made = Desk(tmp_path)
    yield made
    made.state.close()


CASES = Path(__file__).resolve().parents[3] / "specs/cases"


def addresses(plan: Plan) -> list[str]:
    return [task.address for task in plan.tasks]


def decisions(plan: Plan) -> dict[str, str]:
    return {task.address: task.decision.value for task in plan.tasks}


AXES = """\
foreach:
  row:
    from: [{id: a, langs: [es-ES]}, {id: b, langs: [es-ES, de]}]
    key: id
  lang: {from: [es-ES, de], where: lang in row.langs}
steps:
  - id: master
    uses: look
    with: {text: x}
  - id: each
    uses: look
    with: {text: "${{ row.id }}"}
  - id: spoken
    uses: look
    with: {text: "${{ lang }}"}
  - id: both
    uses: look
    with: {text: "${{ row.id }} ${{ lang }}"}
  - id: through
    uses: look
    with: {text: "${{ steps.each.outputs.text }} ${{ steps.spoken.outputs.text }}"}
  - id: gather
    uses: look
    with: {text: "${{ steps.both.all | length }}"}
"""


class TestAxisRule:
    def test_a_task_per_combination_of_the_axes_in_use(self, desk: Desk) -> None:
        assert addresses(desk.plan(AXES)) == [
            "master", "each[row=a]", "each[row=b]", "spoken[lang=es-ES]", "spoken[lang=de]",
            "both[row=a,lang=es-ES]", "both[row=b,lang=es-ES]", "both[row=b,lang=de]",
            "through[row=a,lang=es-ES]", "through[row=b,lang=es-ES]", "through[row=b,lang=de]", "gather",
        ]  # fmt: skip

    def test_a_task_waits_for_the_same_values_and_no_barrier(self, desk: Desk) -> None:
        tasks = {task.address: task for task in desk.plan(AXES).tasks}

        def needs(address: str) -> list[str]:
            return [need.address for need in tasks[address].needs]

        assert needs("through[row=b,lang=de]") == ["each[row=b]", "spoken[lang=de]"]
        assert needs("gather") == ["both[row=a,lang=es-ES]", "both[row=b,lang=es-ES]", "both[row=b,lang=de]"]
        assert needs("master") == []

    def test_all_carries_no_axes_and_has_every_task(self, desk: Desk) -> None:
        text = AXES.replace("steps.both.all | length", "steps.both.all | map(attribute='key') | join(' ')")
        report = desk.run(text)
        assert report.status == "succeeded"
        assert next(t.outputs["text"] for t in report.tasks if t.address == "gather") == "a,es-ES b,es-ES b,de"

    def test_all_of_what_was_skipped_and_failed(self, desk: Desk) -> None:
        def fail(name: str, inputs: dict[str, Any]) -> None:
            if inputs["text"] == "c":
                raise Rejected("no c")

        desk.studio.fail = fail
        report = desk.run(
            "foreach: {x: [a, b, c]}\nsteps:\n"
            "  - {id: one, uses: look, if: x != 'b', with: {text: '${{ x }}'}}\n"
            "outputs: {all: '${{ steps.one.all }}'}\n"
        )
        found = [(item["key"], item["status"], item["error"]) for item in report.outputs["all"]]
        assert found == [("a", "succeeded", None), ("b", "skipped", None), ("c", "failed", "no c")]
        assert report.outputs["all"][1]["outputs"] == {}

    def test_needs_orders_by_shared_axes(self, desk: Desk) -> None:
        plan = desk.plan(
            "foreach: {x: [a, b], y: ['1', '2']}\nsteps:\n"
            "  - {id: one, uses: look, with: {text: '${{ x }}'}}\n"
            "  - {id: two, uses: look, needs: [one], with: {text: '${{ x }}${{ y }}'}}\n"
            "  - {id: three, uses: look, needs: [one], with: {text: z}}\n"
        )
        tasks = {task.address: [need.address for need in task.needs] for task in plan.tasks}
        assert tasks["two[x=b,y=1]"] == ["one[x=b]"]
        assert tasks["three"] == ["one[x=a]", "one[x=b]"]

    def test_steps_may_be_written_in_any_order(self, desk: Desk) -> None:
        plan = desk.plan(
            "steps:\n  - {id: last, uses: look, with: {text: '${{ steps.first.outputs.text }}'}}\n"
            "  - {id: first, uses: look, with: {text: x}}\n"
        )
        assert addresses(plan) == ["first", "last"]

    @pytest.mark.parametrize(
        ("key", "address"),
        [
            ("a b", 'one[x="a b"]'),
            ("a,b", 'one[x="a,b"]'),
            ('q"', r'one[x="q\""]'),
            ("", 'one[x=""]'),
            ("ü", "one[x=ü]"),
        ],
    )
    def test_addresses_quote_odd_keys(self, desk: Desk, key: str, address: str) -> None:
        plan = desk.plan(
            f"foreach: {{x: ['{key}']}}\nsteps:\n  - {{id: one, uses: look, with: {{text: 'a${{{{ x }}}}'}}}}\n"
        )
        assert addresses(plan) == [address]


class TestConditions:
    def test_false_skips_with_a_reason(self, desk: Desk) -> None:
        (task,) = desk.plan("steps:\n  - {id: one, uses: look, if: 1 == 2, with: {text: x}}\n").tasks
        assert (task.decision, task.reason) == (Decision.SKIP, "its `if` is false")
        assert str(task.cost) == "free"

    def test_what_reads_a_skipped_task_is_skipped_and_what_waits_for_it_is_not(self, desk: Desk) -> None:
        plan = desk.plan(
            "steps:\n"
            "  - {id: one, uses: look, if: false, with: {text: x}}\n"
            "  - {id: reads, uses: look, with: {text: '${{ steps.one.outputs.text }}'}}\n"
            "  - {id: further, uses: look, with: {text: '${{ steps.reads.outputs.text }}'}}\n"
            "  - {id: waits, uses: look, needs: [one], with: {text: x}}\n"
            "  - {id: minds, uses: look, with: {text: \"${{ steps.one.outputs.text | default('none') }}\"}}\n"
            "  - {id: asks, uses: look, if: steps.one.outputs.text is defined, with: {text: x}}\n"
        )
        assert decisions(plan) == {
            "one": "skip", "reads": "skip", "further": "skip", "waits": "execute", "minds": "execute", "asks": "skip",
        }  # fmt: skip
        assert plan.tasks[1].reason.startswith("upstream skipped: ")

    def test_one_that_waits_for_the_run_is_deferred(self, desk: Desk) -> None:
        text = (
            "steps:\n  - {id: one, uses: look, with: {text: good}}\n"
            "  - {id: two, uses: look, if: steps.one.outputs.good, with: {text: x}}\n"
        )
        assert decisions(desk.plan(text)) == {"one": "execute", "two": "deferred"}
        assert desk.run(text).status == "succeeded"
        assert decisions(desk.plan(text)) == {"one": "reuse", "two": "reuse"}

    def test_what_waits_for_a_value_of_the_run_is_priced_when_that_is_possible(self, desk: Desk) -> None:
        plan = desk.plan(
            "steps:\n  - {id: one, uses: look, with: {text: good}}\n"
            "  - {id: say, uses: speech, with: {text: '${{ steps.one.outputs.text }}'}}\n"
        )
        assert plan.tasks[1].key == ""
        assert plan.tasks[1].cost is None
        assert plan.total.unknown == 1

    def test_a_whole_map_of_outputs_waits_too(self, desk: Desk) -> None:
        text = (
            "steps:\n  - {id: one, uses: look, with: {text: good}}\n"
            "  - {id: two, uses: look, with: {text: x, map: '${{ steps.one.outputs }}'}}\n"
            '  - {id: three, uses: look, with: {text: "${{ steps.one.outputs | tojson }}"}}\n'
        )
        assert set(decisions(desk.plan(text)).values()) <= {"execute", "deferred"}
        assert desk.run(text).status == "succeeded"

    def test_a_whole_map_of_skipped_outputs_skips(self, desk: Desk) -> None:
        plan = desk.plan(
            "steps:\n  - {id: one, uses: look, if: false, with: {text: good}}\n"
            "  - {id: two, uses: look, with: {text: x, map: '${{ steps.one.outputs }}'}}\n"
        )
        assert decisions(plan) == {"one": "skip", "two": "skip"}


class TestChecks:
    def test_a_requirement_over_inputs_and_with(self, desk: Desk) -> None:
        text = (
            "inputs: {n: {type: integer, default: 3}}\n"
            "steps:\n  - {id: one, uses: look, require: [%s], with: {text: x, number: 2}}\n"
        )
        assert decisions(desk.plan(text % '"inputs.n > 2", "with.number == 2"')) == {"one": "execute"}
        (problem,) = desk.problems(text % '"inputs.n > 2", "with.number > 2"')
        assert (problem.code, problem.message) == ("require", '"one" requires `with.number > 2`, which does not hold')

    def test_a_requirement_that_waits_is_checked_in_the_run(self, desk: Desk) -> None:
        text = (
            "steps:\n  - {id: one, uses: look, with: {text: bad}}\n"
            "  - {id: two, uses: look, require: [steps.one.outputs.good], with: {text: x}}\n"
        )
        assert decisions(desk.plan(text)) == {"one": "execute", "two": "execute"}
        report = desk.run(text)
        assert [(t.address, t.state.value, t.error_kind) for t in report.tasks][1] == ("two", "failed", "invalid_input")

    def test_an_operation_has_the_last_word(self, desk: Desk) -> None:
        (problem,) = desk.problems("steps:\n  - {id: dub, uses: dub, with: {video: clip.mp4, language: eo}}\n")
        assert (problem.code, problem.message, problem.hint) == (
            "invalid-input", "no dub into Esperanto", "take another language",
        )  # fmt: skip

    def test_the_same_problem_in_many_tasks_is_said_a_few_times(self, desk: Desk) -> None:
        found = desk.problems(
            "foreach: {x: {from: '${{ range(20) | list }}'}}\nsteps:\n"
            "  - {id: one, uses: look, with: {text: '${{ x }}'}}\n"
        )
        assert len(found) == 6
        assert any("in 20 tasks in all; the first 5 are shown" in problem.message for problem in found)

    @pytest.mark.parametrize("target", ["../a.txt", "/etc/a.txt", "a/../../b.txt", ".", "", "out/.."])
    def test_targets_stay_inside(self, desk: Desk, target: str) -> None:
        codes = desk.codes(f"steps:\n  - {{id: s, uses: download, with: {{from: note.txt, to: '{target}'}}}}\n")
        assert codes == ["target-outside"] or (target == "" and codes == ["out-of-range"])

    def test_targets_stay_inside_through_links(self, desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        (desk.folder / "link").symlink_to(elsewhere)
        (desk.folder / "file").symlink_to(elsewhere / "file")
        (desk.folder / "in").mkdir()
        (desk.folder / "inside").symlink_to(desk.folder / "in")
        step = "steps:\n  - {id: s, uses: download, with: {from: note.txt, to: %s}}\n"
        assert desk.codes(step % "link/a.txt") == ["target-outside"]
        assert desk.codes(step % "file") == ["target-outside"]
        assert decisions(desk.plan(step % "inside/a.txt")) == {"s": "execute"}
        assert decisions(desk.plan(step % "out/new/a.txt")) == {"s": "execute"}

    @pytest.mark.parametrize(("one", "two"), [("a.txt", "a.txt"), ("a.txt", "./a.txt"), ("a.txt", "x/../a.txt")])
    def test_two_tasks_with_one_target(self, desk: Desk, one: str, two: str) -> None:
        (problem,) = desk.problems(
            f"steps:\n  - {{id: s, uses: download, with: {{from: note.txt, to: {one}}}}}\n"
            f"  - {{id: t, uses: download, with: {{from: note.txt, to: {two}}}}}\n"
        )
        assert (problem.code, problem.message) == ("target-collision", f's and t both write "{two}"')

    def test_links_to_one_folder_are_one_folder(self, desk: Desk) -> None:
        (desk.folder / "in").mkdir()
        (desk.folder / "inside").symlink_to(desk.folder / "in")
        codes = desk.codes(
            "steps:\n  - {id: s, uses: download, with: {from: note.txt, to: in/a.txt}}\n"
            "  - {id: t, uses: download, with: {from: note.txt, to: inside/a.txt}}\n"
        )
        assert codes == ["target-collision"]

    def test_a_skipped_task_claims_no_target(self, desk: Desk) -> None:
        plan = desk.plan(
            "steps:\n  - {id: s, uses: download, if: false, with: {from: note.txt, to: a.txt}}\n"
            "  - {id: t, uses: download, with: {from: note.txt, to: a.txt}}\n"
        )
        assert decisions(plan) == {"s": "skip", "t": "execute"}

    def test_a_wrong_task_leaves_no_traces_in_others(self, desk: Desk) -> None:
        found = desk.problems(
            "foreach: {x: [a, b]}\nsteps:\n"
            "  - {id: one, uses: look, with: {text: x, number: \"${{ 'no' if x == 'a' else 1 }}\"}}\n"
            "  - {id: two, uses: look, with: {text: '${{ steps.one.outputs.text }}'}}\n"
            '  - {id: three, uses: look, with: {text: "${{ steps.one.all | tojson }}"}}\n'
        )
        assert [(problem.code, problem.place.line) for problem in found] == [("wrong-type", 6)]


class TestUploads:
    def test_once_per_content(self, desk: Desk) -> None:
        plan = desk.plan(
            "foreach: {lang: [es-ES, de]}\nsteps:\n"
            "  - {id: dub, uses: dub, with: {video: clip.mp4, language: '${{ lang }}'}}\n"
            "  - {id: more, uses: dub, with: {video: copy.mp4, language: it}}\n"
        )
        assert addresses(plan) == ["auto-upload[clip.mp4]", "dub[lang=es-ES]", "dub[lang=de]", "more"]
        upload = plan.tasks[0]
        assert upload.reason == "dub[lang=es-ES] needs it at the provider"
        assert all(upload in task.needs and task.uploads == {"video": upload} for task in plan.tasks[1:])
        assert desk.run("steps:\n" + DUB).status == "succeeded"
        assert [name for name, _ in desk.studio.done] == ["studio/upload"]
        assert desk.studio.bought[0][1]["video"].asset.startswith("asset-")

    def test_urls_and_assets_are_not_uploaded(self, desk: Desk) -> None:
        plan = desk.plan(
            "steps:\n  - {id: a, uses: dub, with: {video: 'https://x.test/a.mp4', language: de}}\n"
            "  - {id: b, uses: dub, with: {video: {asset: abc}, language: de}}\n"
            "  - {id: c, uses: dub, with: {video: {path: clip.mp4}, language: de}}\n"
        )
        assert addresses(plan) == ["a", "b", "auto-upload[clip.mp4]", "c"]

    def test_a_step_that_uploads_is_used(self, desk: Desk) -> None:
        plan = desk.plan(
            "steps:\n  - {id: up, uses: upload, with: {file: clip.mp4}}\n"
            "  - {id: dub, uses: dub, with: {video: '${{ steps.up.outputs.asset }}', language: de}}\n"
        )
        assert addresses(plan) == ["up", "dub"]
        assert plan.tasks[1].key

    def test_the_name_of_a_file_does_not_count(self, desk: Desk) -> None:
        one, two = (
            desk.plan(f"steps:\n  - {{id: dub, uses: dub, with: {{video: {name}, language: de}}}}\n")
            for name in ("clip.mp4", "copy.mp4")
        )
        assert one.tasks[-1].key == two.tasks[-1].key != ""


class TestReuse:
    def test_equal_work_is_done_once(self, desk: Desk) -> None:
        text = "steps:\n" + DUB
        assert decisions(desk.plan(text)) == {"auto-upload[clip.mp4]": "execute", "dub": "execute"}
        assert desk.run(text).status == "succeeded"
        again = desk.plan(text)
        assert set(decisions(again).values()) == {"reuse"}
        assert {task.reason for task in again.tasks} == {"done before"}
        assert str(again.total) == "0.00 USD"
        assert desk.run(text).status == "succeeded"
        assert len(desk.studio.bought) == 1

    @pytest.mark.parametrize(
        ("changed", "decision"),
        [
            (DUB.replace("id: dub", "id: other"), "reuse"),
            (DUB.replace("}", ", title: New}"), "reuse"),
            (DUB.replace("clip.mp4", "copy.mp4"), "reuse"),
            (DUB.replace("es-ES", "de"), "execute"),
            (DUB.replace("}", ", speakers: 2}"), "execute"),
        ],
    )
    def test_only_what_matters_matters(self, desk: Desk, changed: str, decision: str) -> None:
        desk.run("steps:\n" + DUB)
        assert desk.plan("steps:\n" + changed).tasks[-1].decision.value == decision

    def test_another_account_buys_anew(self, desk: Desk) -> None:
        desk.run("steps:\n" + DUB)
        other = plan_job(
            HEAD + "steps:\n" + DUB, {"studio": desk.studio}, folder=desk.folder, state=desk.state,
            env={"STUDIO_KEY": "other"},
        )  # fmt: skip
        assert other.tasks[-1].decision is Decision.EXECUTE

    def test_the_same_purchase_in_two_tasks_is_one(self, desk: Desk) -> None:
        text = "steps:\n" + DUB + DUB.replace("id: dub", "id: twin")
        desk.run("steps:\n  - {id: up, uses: upload, with: {file: note.txt}}\n")  # the account is known from now on
        plan = desk.plan(text)
        first, twin = plan.tasks[-2:]
        assert (twin.decision, twin.reason) == (Decision.REUSE, "same purchase as dub")
        assert first in twin.needs
        assert str(plan.total) == "2.00 USD"
        report = desk.run(text)
        assert report.status == "succeeded"
        assert len(desk.studio.bought) == 1

    def test_results_feed_what_follows(self, desk: Desk) -> None:
        text = "steps:\n" + DUB + "  - {id: look, uses: look, with: {text: 'in ${{ steps.dub.outputs.language }}'}}\n"
        assert desk.plan(text).tasks[-1].key, "the language is predicted"
        desk.run(text)
        assert decisions(desk.plan(text))["look"] == "reuse"
        assert desk.studio.done[-1][1] == {"text": "in es-ES"}

    def test_what_failed_is_bought_again_as_a_new_generation(self, desk: Desk) -> None:
        def fail(name: str, inputs: dict[str, Any]) -> None:
            raise Rejected("too dark")

        desk.studio.fail = fail
        assert desk.run("steps:\n" + DUB).status == "failed"
        task = desk.plan("steps:\n" + DUB).tasks[-1]
        assert (task.decision, task.generation, task.reason) == (Decision.EXECUTE, 2, "failed before: too dark")
        desk.studio.fail = lambda name, inputs: None
        assert desk.run("steps:\n" + DUB).status == "succeeded"

    def test_a_lost_answer_blocks_until_a_person_decides(self, desk: Desk) -> None:
        def fail(name: str, inputs: dict[str, Any]) -> None:
            if name == "studio/dub":
                raise RuntimeError("broke in the middle")

        desk.studio.fail = fail
        with pytest.raises(RuntimeError, match="in the middle"):
            desk.run("steps:\n" + DUB)
        text = (
            "steps:\n" + DUB + "  - {id: look, uses: look, with: {text: '${{ steps.dub.outputs.video.duration }}'}}\n"
        )
        plan = desk.plan(text)
        assert (plan.tasks[-2].decision, plan.tasks[-1].decision) == (Decision.BLOCKED, Decision.BLOCKED)
        assert plan.tasks[-1].reason == "waits for dub"
        desk.studio.fail = lambda name, inputs: None
        report = desk.run(text)
        assert int(report.exit_code) == 6
        assert len(desk.studio.bought) == 1

    def test_a_file_that_is_gone_or_changed_is_made_again(self, desk: Desk) -> None:
        text = "steps:\n  - {id: save, uses: download, with: {from: note.txt, to: out/a.txt}}\n"
        desk.run(text)
        made = desk.folder / "out/a.txt"
        assert decisions(desk.plan(text)) == {"save": "reuse"}
        made.unlink()
        (task,) = desk.plan(text).tasks
        assert (task.decision, task.reason) == (Decision.EXECUTE, "out/a.txt is missing")
        desk.run(text)
        assert made.read_text(encoding="utf-8") == "note"
        made.write_text("NOTE", encoding="utf-8")
        (task,) = desk.plan(text).tasks
        assert (task.decision, task.reason) == (Decision.EXECUTE, "out/a.txt has changed")

    def test_an_input_that_changed_is_other_work(self, desk: Desk) -> None:
        text = "steps:\n  - {id: save, uses: download, with: {from: note.txt, to: out/a.txt}}\n"
        desk.run(text)
        (desk.folder / "note.txt").write_text("another note", encoding="utf-8")
        assert decisions(desk.plan(text)) == {"save": "execute"}
        assert desk.run(text).status == "succeeded"
        assert (desk.folder / "out/a.txt").read_text(encoding="utf-8") == "another note"


class TestPrices:
    def test_unknown_is_not_free(self, desk: Desk) -> None:
        plan = desk.plan(
            "foreach: {lang: [es-ES, fr-FR]}\nsteps:\n"
            "  - {id: dub, uses: dub, with: {video: clip.mp4, language: '${{ lang }}'}}\n"
        )
        assert [task.cost and str(task.cost) for task in plan.tasks] == ["free", "2.00 USD", None]
        assert str(plan.total) == "2.00 USD + 1 of unknown price"

    def test_two_currencies_in_one_job(self, desk: Desk) -> None:
        plan = desk.plan("steps:\n" + DUB + "  - {id: say, uses: speech, with: {text: Hello}}\n")
        assert plan.as_json()  # a sum cannot be given, a plan can


class TestOutputs:
    def test_placeholders_carry_what_is_known(self, desk: Desk) -> None:
        task = desk.plan("steps:\n" + DUB).tasks[-1]
        assert isinstance(task.outputs["video"], PlannedMedia)
        assert task.outputs["video"].origin == f"{task.key}/video"
        assert task.outputs["language"] == "es-ES"
        (look,) = desk.plan("steps:\n  - {id: one, uses: look, with: {text: x}}\n").tasks
        assert isinstance(look.outputs["good"], Deferred)

    def test_recorded_ones_are_real(self, desk: Desk) -> None:
        desk.run("steps:\n" + DUB)
        video = desk.plan("steps:\n" + DUB).tasks[-1].outputs["video"]
        assert isinstance(video, Media)
        assert not isinstance(video, PlannedMedia)
        assert video.duration == 2.0

    def test_the_published_shape_is_the_same_each_time(self, desk: Desk) -> None:
        text = "steps:\n" + DUB
        assert desk.plan(text).as_json() == desk.plan(text).as_json()
        shape = desk.plan(text).as_json()
        assert set(shape) == {"version", "job", "file", "tasks", "totals"}
        assert shape["totals"]["decisions"] == {"execute": 2}
