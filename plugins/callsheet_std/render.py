"""`std/render`: text from a Jinja template, in the sandbox that expressions run in."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from callsheet.api import PURE, Cost, InvalidInput, Media, Operation, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from callsheet.api import Context, Inputs, Outputs

#: Bytes of text. It is kept in the state and may go into other steps' inputs; what is larger is no text for people.
MAX_TEXT = 1_000_000


class Render(Operation):
    """Fills in a template. That is a media input, so its content, not its name, decides whether to do it again."""

    name = "std/render"
    summary = "Write text from a template: a script, captions, a page, a report."
    repeat = PURE
    writes = frozenset({"to"})
    inputs = {
        "type": "object",
        "additionalProperties": False,
        "required": ["template"],
        "properties": {
            "template": {
                "$ref": "callsheet:file",
                "description": "A local text file with ${{ … }} and {% … %}; it sees the names in `data` only.",
            },
            "data": {
                "type": "object",
                "default": {},
                "description": "The names that the template sees, with their values.",
            },
            "to": {
                "type": "string",
                "minLength": 1,
                "description": "The file to write, relative to the job file; without it the text is an output only.",
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
        "required": ["text"],
        "properties": {
            "text": {"type": "string", "description": "The text."},
            "file": {"$ref": "callsheet:file", "description": "The written file, when `to` is given."},
        },
    }

    def estimate(self, inputs: Inputs) -> Cost | None:
        """Nothing."""
        return Cost.free()

    def problems(self, inputs: Inputs) -> Iterable[Problem]:
        """A template has to be at hand."""
        template = inputs.get("template")
        if isinstance(template, Media) and template.path is None:
            yield Problem(("template",), "a template must be a local file", "save it first with `download`")

    async def run(self, inputs: Inputs, ctx: Context) -> Outputs:
        """Fill in the template, and write the file when one is wanted."""
        text = _filled(inputs["template"], inputs.get("data") or {}, ctx)
        if "to" not in inputs:
            return {"text": text}
        content = text.encode("utf-8")
        with tempfile.TemporaryDirectory(prefix="callsheet-") as folder:
            # The engine knows which files are callsheet's own and puts them in place whole: so it copies this one.
            rendered = Path(folder, "rendered")
            rendered.write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            media = Media("file", path=str(rendered), sha256=digest, mime="text/plain", bytes=len(content))
            file = await ctx.fetch(media, ctx.target(inputs["to"]), overwrite=inputs.get("overwrite", False))
        return {"text": text, "file": file}


def _filled(template: Media, data: Inputs, ctx: Context) -> str:
    if template.path is None:
        raise InvalidInput("a template must be a local file", hint="save it first with `download`")
    path = Path(template.path)
    try:
        source = path.read_text(encoding="utf-8-sig")
        text = ctx.render(source, data)
        size = len(text.encode("utf-8"))
    except OSError as problem:
        raise InvalidInput(f'the template "{path.name}" cannot be read: {problem.strerror}') from None
    except UnicodeError:
        raise InvalidInput(f'the template "{path.name}" is not UTF-8 text') from None
    except InvalidInput as problem:
        raise InvalidInput(f'template "{path.name}", {problem.message}', hint=problem.hint) from None
    if size > MAX_TEXT:
        raise InvalidInput(f'the template "{path.name}" gives {size} bytes of text; at most {MAX_TEXT} are allowed')
    return text
