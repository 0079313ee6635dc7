"""`std/download` and `std/render`, with files on disk and the sandbox that expressions run in."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from support.task_context import TaskContext

import callsheet_std
from callsheet.api import PURE, InvalidInput, Media
from callsheet.expressions import ExpressionError, Expressions
from callsheet.schema import Checker
from callsheet_std.download import Download
from callsheet_std.render import MAX_TEXT, Render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass
class Desk(TaskContext):
    """Copies local media, and renders as the engine does."""

    fetched: list[tuple[Media, bool]] = field(default_factory=list)

    async def fetch(self, media: Media, target: Path, *, overwrite: bool = False) -> Media:
        self.fetched.append((media, overwrite))
        if target.exists() and not overwrite:
            raise InvalidInput("is there already")
        assert media.path
        shutil.copyfile(media.path, target)
        return replace(media, path=str(target))

    def render(self, template: str, data: Mapping[str, Any]) -> str:
        try:
            return str(Expressions().compile(template).render(dict(data)))
        except ExpressionError as problem:
            raise InvalidInput(f"line {problem.line + 1}: {problem.message}", hint=problem.hint) from None


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(client=None, job_dir=tmp_path)


def run(operation: Any, desk: Desk, **inputs: Any) -> dict[str, Any]:
    return asyncio.run(operation.run({name.rstrip("_"): value for name, value in inputs.items()}, desk))


def template(desk: Desk, text: str | bytes) -> Media:
    path = desk.job_dir / "page.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Media("file", path=str(path))


def test_the_plugin_offers_both_and_they_are_free() -> None:
    operations = list(callsheet_std.callsheet_operations())
    assert [operation.name for operation in operations] == ["std/download", "std/render"]
    for operation in operations:
        estimate = operation.estimate({})
        assert estimate is not None
        assert estimate.is_free
        assert operation.repeat is PURE
        assert operation.writes == {"to"}
        assert operation.summary.endswith(".")
        for schema in (operation.inputs, operation.outputs):
            Checker(schema)
            assert schema["additionalProperties"] is False
            assert all(part["description"] for part in schema["properties"].values())
        assert operation.outputs["properties"]["file"]["$ref"] == "callsheet:file"


def test_download_fetches_into_the_target(desk: Desk) -> None:
    source = desk.job_dir / "a.mp4"
    source.write_bytes(b"film")
    media = Media("video", path=str(source))
    outputs = run(Download(), desk, from_=media, to="b.mp4")
    assert outputs["file"].path == str(desk.job_dir / "b.mp4")
    assert outputs["file"].kind == "video"
    assert desk.fetched == [(media, False)]
    with pytest.raises(InvalidInput):
        run(Download(), desk, from_=media, to="b.mp4")
    run(Download(), desk, from_=media, to="b.mp4", overwrite=True)


def test_render_gives_text_and_writes_nothing_without_a_target(desk: Desk) -> None:
    source = "Hello ${{ name }}!\n{% for n in list %}- ${{ n }}\n{% endfor %}"
    outputs = run(Render(), desk, template=template(desk, source), data={"name": "Zoë", "list": [1, 2]})
    assert outputs == {"text": "Hello Zoë!\n- 1\n- 2\n"}
    assert desk.fetched == []


def test_render_writes_the_text_through_the_engine(desk: Desk) -> None:
    outputs = run(Render(), desk, template=template(desk, "Grüße, ${{ a }}"), data={"a": 5}, to="out.txt")
    written = (desk.job_dir / "out.txt").read_bytes()
    media, overwrite = desk.fetched[0]
    assert written == "Grüße, 5".encode()
    assert outputs["file"] == replace(media, path=str(desk.job_dir / "out.txt"))
    assert (media.kind, media.mime, media.bytes) == ("file", "text/plain", len(written))
    assert media.sha256 == hashlib.sha256(written).hexdigest()
    assert overwrite is False
    assert sorted(path.name for path in desk.job_dir.iterdir()) == ["out.txt", "page.txt"]


def test_data_is_never_evaluated(desk: Desk) -> None:
    outputs = run(Render(), desk, template=template(desk, "<${{ a }}>"), data={"a": "${{ 1 + 1 }}{% if %}"})
    assert outputs["text"] == "<${{ 1 + 1 }}{% if %}>"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one\n${{ nme }}", "nme"),
        ("{% include 'x' %}", "page.txt"),
        ("${{ ().__class__ }}", "page.txt"),
        (b"\xff\xfe", "is not UTF-8 text"),
        ("${{ a }}" * 11, f"at most {MAX_TEXT} are allowed"),
    ],
)
def test_what_goes_wrong_in_a_template_names_it(desk: Desk, text: str | bytes, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        run(Render(), desk, template=template(desk, text), data={"name": "x", "a": "y" * 100_000})
    assert "page.txt" in str(caught.value)


def test_a_template_has_to_be_a_file_here(desk: Desk) -> None:
    remote = Media("file", url="https://media.example/page.txt")
    problem = next(iter(Render().problems({"template": remote})))
    assert problem.path == ("template",)
    assert list(Render().problems({})) == []
    assert list(Render().problems({"template": template(desk, "x")})) == []
    with pytest.raises(InvalidInput, match="must be a local file"):
        run(Render(), desk, template=remote)
    with pytest.raises(InvalidInput, match="cannot be read: No such file"):
        run(Render(), desk, template=Media("file", path=str(desk.job_dir / "none")))
