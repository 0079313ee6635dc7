"""The statements of `queries.sql` by name."""

from __future__ import annotations

import re
from pathlib import Path

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*\n", re.MULTILINE)

#: How many keys one look-up asks for at once; a fixed number, so that the statement is prepared once.
CHUNK = 500


def load(text: str) -> dict[str, str]:
    """Split a file of statements, each below a line ``-- name: …``; comments are for readers of the file."""
    _, *parts = _NAME.split(text)
    marks = ",".join("?" * CHUNK)
    return {
        name: _COMMENT.sub("", body).strip().rstrip(";").replace(":keys", marks)
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


SQL = load(Path(__file__).with_name("queries.sql").read_text(encoding="utf-8"))
