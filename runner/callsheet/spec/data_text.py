"""Opening data files as text, with problems that name the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.diagnostics import Place, did_you_mean
from .data_rows import refusal
from .source import encoding_hint, names_near

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from ..errors import SpecError


def open_text(path: Path) -> TextIO:
    """UTF-8 with or without a byte order mark; line breaks as they are in the file."""
    return path.open(encoding="utf-8-sig", newline="")


def check_readable(path: Path, shown: str) -> None:
    """:raises SpecError: ``data-missing`` for a file that is not there, is a folder or cannot be opened"""
    place = Place(shown)
    try:
        with path.open("rb"):
            return
    except FileNotFoundError:
        hint = did_you_mean(path.name, names_near(path))
        raise refusal(place, "data-missing", f'there is no file "{shown}"', hint) from None
    except IsADirectoryError:
        raise refusal(place, "data-missing", f'"{shown}" is a folder', "name a file in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise refusal(place, "data-missing", f'"{shown}" cannot be read: {reason}') from None


def undecodable(path: Path, shown: str) -> SpecError:
    """The error for the first byte that is not UTF-8; reads the file again line by line to find it."""
    with path.open("rb") as stream:
        start = stream.read(4)
        stream.seek(0)
        for number, line in enumerate(stream, 1):
            try:
                line.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                column = len(error.object[: error.start].decode("utf-8", "replace")) + 1
                message = f"not UTF-8: byte 0x{error.object[error.start]:02x}"
                hint = encoding_hint(start)
                return refusal(Place(shown, number, column), "data-encoding", message, hint)
    return refusal(Place(shown), "data-encoding", "not UTF-8", "save the file as UTF-8")


def read_text(path: Path, shown: str, limit: int) -> str:
    """The whole file as text.

    :raises SpecError: ``data-encoding``, or ``data-format`` for more than ``limit`` bytes
    """
    with path.open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        message = f"larger than {limit // 1024**2} MB"
        raise refusal(Place(shown), "data-format", message, "use .jsonl or .csv, which are read row by row")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise undecodable(path, shown) from None
