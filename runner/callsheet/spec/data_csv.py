"""Rows of CSV and TSV files, streamed."""

from __future__ import annotations

import csv
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, NamedTuple

from ..core.diagnostics import Diagnostic, Place, by_place
from ..errors import SpecError
from .data_rows import BadRow, Row, bad_row, refusal
from .data_text import open_text, undecodable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

QUOTE: Final = '"'


class Dialect(NamedTuple):
    """How a file is written: its columns, their delimiter and the number of lines up to the end of the header."""

    columns: list[str]
    delimiter: str
    header_lines: int
    header_line: int  # the first of them that is not blank


def read_header(path: Path, shown: str) -> Dialect:
    """The columns of the file; spaces round their names do not count.

    :raises SpecError: no header, or columns without a name or with the same one
    """
    number = 1
    try:
        with open_text(path) as stream:
            lines = _checked(stream, shown)
            number, first = next(((n, line) for n, line in enumerate(lines, 1) if line.strip()), (0, ""))
            if not first:
                hint = "the first line names the columns"
                raise refusal(Place(shown), "data-header", "the file is empty: it has no header", hint)
            delimiter = delimiter_of(path, first)
            reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
            names = [name.strip() for name in next(reader)]
            dialect = Dialect(names, delimiter, number - 1 + reader.line_num, number)
    except csv.Error:
        message, hint = "the header is no CSV", "look at its quotes: each is closed, and one inside is written twice"
        raise refusal(Place(shown, number, 1), "data-format", message, hint) from None
    except UnicodeDecodeError:
        raise undecodable(path, shown) from None
    _check_names(dialect, path, shown)
    return dialect


def delimiter_of(path: Path, header: str) -> str:
    """Tab for .tsv; for .csv a comma, or the semicolon or tab of a header line that contains no comma."""
    if path.suffix.lower() == ".tsv":
        return "\t"
    if "," in header:
        return ","
    return max(",;\t", key=header.count)


def read_records(path: Path, shown: str, dialect: Dialect) -> Iterator[Row | BadRow]:
    """The rows below the header. Blank lines are no rows."""
    columns, width, begin = dialect.columns, len(dialect.columns), dialect.header_lines
    try:
        with open_text(path) as stream:
            lines = islice(_checked(stream, shown), begin, None)
            reader = csv.reader(lines, delimiter=dialect.delimiter, strict=True)
            before = 0
            while True:
                line = begin + before + 1
                try:
                    # The inner loop goes round for every good row, the outer one only after a bad one.
                    for cells in reader:
                        if len(cells) == width:
                            yield Row(dict(zip(columns, cells, strict=True)), line)
                        elif cells:
                            yield _wrong_width(path, shown, line, dialect, len(cells))
                        before = reader.line_num
                        line = begin + before + 1
                    return
                except csv.Error as error:
                    yield _broken(error, path, shown, line, dialect)
                    before = reader.line_num
    except UnicodeDecodeError:
        raise undecodable(path, shown) from None


def cell_starts(path: Path, line: int, delimiter: str) -> list[tuple[int, int]]:
    """Line and column at which each cell of the record at ``line`` begins; reads no further than that record."""
    with open_text(path) as stream:
        return _starts(islice(stream, line - 1, None), line, delimiter)


def _starts(lines: Iterable[str], line: int, delimiter: str) -> list[tuple[int, int]]:
    found, quoted, at_start = [(line, 1)], False, True
    for number, text in enumerate(lines, line):
        for column, char in enumerate(text.rstrip("\r\n"), 1):
            if char == QUOTE and (quoted or at_start):
                quoted = not quoted  # a doubled quote closes and opens again
                # Right behind a closing quote another one opens; anything else but a delimiter is broken anyway.
                at_start = not quoted
            elif char == delimiter and not quoted:
                found.append((number, column + 1))
                at_start = True
            else:
                at_start = False
        if not quoted:
            break
    return found


def _checked(lines: Iterable[str], shown: str) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            hint = "save it as UTF-8 text; a NUL byte means UTF-16 or no text at all"
            raise refusal(Place(shown, number, line.index("\0") + 1), "data-encoding", "the file has a NUL byte", hint)
        yield line


def _check_names(dialect: Dialect, path: Path, shown: str) -> None:
    starts = cell_starts(path, dialect.header_line, dialect.delimiter)
    problems, seen = [], dict[str, Place]()
    for name, start in zip(dialect.columns, starts, strict=False):
        place = Place(shown, *start)
        if not name:
            problems.append(Diagnostic(place, "data-header", "a column has no name", "name it, or delete the column"))
        elif name in seen:
            related = ((seen[name], "named here first"),)
            message = f'two columns are named "{name}"'
            problems.append(Diagnostic(place, "data-header", message, "rename one of them", related=related))
        else:
            seen[name] = place
    if problems:
        raise SpecError(by_place(problems))


def _wrong_width(path: Path, shown: str, line: int, dialect: Dialect, count: int) -> BadRow:
    columns, width = dialect.columns, len(dialect.columns)
    message = f"{count} cell{'' if count == 1 else 's'}, and the header has {width}"
    if count < width:
        missing = ", ".join(columns[count:][:6]) + (", …" if width - count > 6 else "")
        return bad_row(Place(shown, line, 1), message, f"missing: {missing}")
    starts = cell_starts(path, line, dialect.delimiter)
    place = Place(shown, *starts[width]) if width < len(starts) else Place(shown, line, 1)
    row = bad_row(place, message, f"put quotes round a cell that contains {dialect.delimiter!r}")
    return BadRow(line, row.diagnostic)


def _broken(error: csv.Error, path: Path, shown: str, line: int, dialect: Dialect) -> BadRow:
    """A record that is no CSV.

    :raises SpecError: a quote is never closed, so that the rows behind it are lost in the cell
    """
    if "unexpected end" in str(error) or "field limit" in str(error):
        place = Place(shown, *cell_starts(path, line, dialect.delimiter)[-1])
        message = "the quote that begins this cell is never closed"
        hint = 'add the closing quote; write a quote inside a quoted cell twice: ""'
        if "field limit" in str(error):
            message = f"a cell is longer than {csv.field_size_limit():,} characters, or its quote is never closed"
        raise refusal(place, "data-format", message, hint)
    hint = 'write a quote inside a quoted cell twice: ""'
    return bad_row(Place(shown, line, 1), "text follows a closing quote", hint)
