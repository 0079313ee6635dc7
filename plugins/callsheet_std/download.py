"""`std/download`: put any media into a local file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callsheet.api import PURE, Cost, Operation

if TYPE_CHECKING:
    from callsheet.api import Context, Inputs, Outputs


class Download(Operation):
    """Saves a result, an asset with a URL, or a copy of a local file. The engine streams, resumes and checks."""

    name = "std/download"
    summary = "Save a video, audio, image or any other media as a local file."
    repeat = PURE
    writes = frozenset({"to"})
    inputs = {
        "type": "object",
        "additionalProperties": False,
        "required": ["from", "to"],
        "properties": {
            "from": {
                "$ref": "callsheet:file",
                "description": "What to save: an output of another step, an https URL, or a local path.",
            },
            "to": {
                "type": "string",
                "minLength": 1,
                "description": "The file to write, relative to the job file; folders are made when missing.",
            },
            "overwrite": {
                "type": "boolean",
                "default": False,
                "description": "Replace a file of that name that callsheet did not write itself.",
            },
        },
    }
    outputs = {
        "type": "object",
        "additionalProperties": False,
        "required": ["file"],
        "properties": {"file": {"$ref": "callsheet:file", "description": "The saved file."}},
    }

    def estimate(self, inputs: Inputs) -> Cost | None:
        """Nothing."""
        return Cost.free()

    async def run(self, inputs: Inputs, ctx: Context) -> Outputs:
        """Fetch it."""
        target = ctx.target(inputs["to"])
        return {"file": await ctx.fetch(inputs["from"], target, overwrite=inputs.get("overwrite", False))}
