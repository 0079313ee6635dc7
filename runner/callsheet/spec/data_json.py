"""Rows of JSON and JSON Lines files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ..core.diagnostics import Place
from .data_rows import BadRow, Row, bad_row, refusal
from .data_text import open_text, read_text, undecodable
from .lines import Lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPACE: Final = re.compile(r"[ \t\r\n]*")
HINT: Final = 'a JSON data file is a list of rows: [{"name": "Ada"}, …]'


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'"{twice}" is given twice')
    return row


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f'"{name}" is not JSON')


DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def read_json(path: Path, shown: str, limit: int) -> Iterator[Row | BadRow]:
    """The items of the file's only list, each with its line."""
    text = read_text(path, shown, limit)
    lines = Lines(text)

    def problem(index: int, message: str, hint: str = "") -> NoReturn:
        raise refusal(Place(shown, *lines.position(index)), "data-format", message, hint)

    at = _skip(text, 0)
    if at == len(text):
        raise refusal(Place(shown), "data-format", "the file is empty", HINT)
    if text[at] != "[":
        problem(at, "the file is not a list of rows", HINT)
    at = _skip(text, at + 1)
    more = text[at : at + 1] != "]"
    while more:
        start = at
        try:
            value, at = DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            problem(error.pos, f"not JSON: {_lower(error.msg)}")
        except (ValueError, RecursionError) as error:
            problem(start, _reason(error))
        yield _row(value, Place(shown, *lines.position(start)))
        at = _skip(text, at)
        more = text[at : at + 1] == ","
        if more:
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            problem(at, 'expected "," or "]"')
    end = _skip(text, at + 1)
    if end < len(text):
        problem(end, "something follows the end of the list")


def read_json_lines(path: Path, shown: str) -> Iterator[Row | BadRow]:
    """One value a line; blank lines are no rows, and a line that is no JSON is a bad row."""
    try:
        with open_text(path) as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield _row_of_line(line, shown, number)
    except UnicodeDecodeError:
        raise undecodable(path, shown) from None


def _row_of_line(line: str, shown: str, number: int) -> Row | BadRow:
    try:
        return _row(DECODER.decode(line), Place(shown, number, 1))
    except json.JSONDecodeError as error:
        return bad_row(Place(shown, number, error.pos + 1), f"not JSON: {_lower(error.msg)}")
    except (ValueError, RecursionError) as error:
        return bad_row(Place(shown, number, 1), _reason(error))


def _row(value: Any, place: Place) -> Row | BadRow:
    if isinstance(value, list):
        return bad_row(place, "a row is a list", 'write it as a map: {"name": "Ada"}')
    return Row(value, place.line)


def _skip(text: str, index: int) -> int:
    match = SPACE.match(text, index)
    return match.end() if match else index


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
