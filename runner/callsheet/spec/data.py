"""Axis data files: rows with their lines, from CSV, TSV, JSON, JSON Lines and YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..core.diagnostics import Place
from .data_csv import cell_starts, read_header, read_records
from .data_json import read_json, read_json_lines
from .data_rows import BadRow, Row, Rows, bad_row, refusal
from .data_text import check_readable
from .source import MAX_BYTES, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["BadRow", "Row", "Rows", "cell_place", "read_rows"]

CSV: Final = (".csv", ".tsv")
JSON_LINES: Final = (".jsonl", ".ndjson")
YAML: Final = (".yaml", ".yml")
KNOWN: Final = (*CSV, ".json", *JSON_LINES, *YAML)


def read_rows(path: Path, shown: str) -> Rows:
    """The rows of ``path``, which messages call ``shown``. The header of a CSV file is checked at once.

    :raises SpecError: ``data-missing``, ``data-format`` (unknown kind of file), ``data-header``, ``data-encoding``
    """
    kind = path.suffix.lower()
    check_readable(path, shown)
    if kind in CSV:
        dialect = read_header(path, shown)
        return Rows(shown, dialect.columns, lambda: read_records(path, shown, dialect))
    if kind == ".json":
        return Rows(shown, None, lambda: read_json(path, shown, MAX_BYTES))
    if kind in JSON_LINES:
        return Rows(shown, None, lambda: read_json_lines(path, shown))
    if kind in YAML:
        return Rows(shown, None, lambda: _read_yaml(path, shown))
    raise refusal(Place(shown), "data-format", f'unknown kind of data file "{kind}"', f"known: {', '.join(KNOWN)}")


def cell_place(shown: str, path: Path, row_line: int, column_name: str) -> Place:
    """Where the cell of ``column_name`` is in the row that begins at ``row_line``; for other formats, the row."""
    fallback = Place(shown, row_line, 1)
    if path.suffix.lower() not in CSV:
        return fallback
    dialect = read_header(path, shown)
    starts = cell_starts(path, row_line, dialect.delimiter)
    index = dialect.columns.index(column_name) if column_name in dialect.columns else len(starts)
    return Place(shown, *starts[index]) if index < len(starts) else fallback


def _read_yaml(path: Path, shown: str) -> Iterator[Row | BadRow]:
    with path.open("rb") as stream:
        source = load(shown, stream.read(MAX_BYTES + 1))
    if not isinstance(source.data, list):
        hint = "a YAML data file is a list of rows: - name: Ada"
        message = "the file is empty" if source.data is None else "the file is not a list of rows"
        raise refusal(source.place(), "data-format", message, hint)
    for number, value in enumerate(source.data):
        place = source.place((number,))
        if isinstance(value, list):
            yield bad_row(place, "a row is a list", "write it as a map: - name: Ada")
        else:
            yield Row(value, place.line)
