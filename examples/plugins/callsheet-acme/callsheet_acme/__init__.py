"""acme/subtitle: a subtitle file out of a text and the seconds that it is spoken in."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from callsheet.api import PURE, BaseOperation, Context, Inputs, Media, Operation, Outputs, hookimpl
from callsheet_acme.srt import srt, timecode


class Subtitle(Operation):
    name = "acme/subtitle"
    summary = "Make a subtitle file (SRT) from a text and its duration."
    repeat = PURE
    writes = frozenset({"to"})
    inputs = {
        "type": "object",
        "required": ["text", "duration", "to"],
        "additionalProperties": False,
        "properties": {
            "text": {"type": "string", "minLength": 1, "description": "What is said."},
            "duration": {"type": "number", "exclusiveMinimum": 0, "description": "How long it is spoken, in seconds."},
            "to": {"type": "string", "minLength": 1, "description": "The file to write, relative to the job file."},
        },
    }
    outputs = {
        "type": "object",
        "required": ["captions"],
        "properties": {"captions": {"$ref": "callsheet:subtitle", "description": "The subtitle file."}},
    }

    async def run(self, inputs: Inputs, ctx: Context) -> Outputs:
        with TemporaryDirectory() as folder:
            made = Path(folder, "made.srt")
            made.write_text(srt(inputs["text"], inputs["duration"]), encoding="utf-8")
            # The engine puts files in place: whole, and never over one that is not callsheet's.
            return {"captions": await ctx.fetch(Media("subtitle", path=str(made)), ctx.target(inputs["to"]))}


@hookimpl
def callsheet_operations() -> Iterable[BaseOperation]:
    return [Subtitle()]


@hookimpl
def callsheet_filters() -> Mapping[str, Callable[[float], str]]:
    return {"timecode": timecode}
