"""Data files: rows with their lines, and every problem with its code and place."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from callsheet.core.diagnostics import Diagnostic, Place
from callsheet.errors import SpecError
from callsheet.spec.data import BadRow, Row, Rows, cell_place, read_rows

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def rows(path: Path) -> list[Row | BadRow]:
    return list(read_rows(path, path.name))


def values(path: Path) -> list[tuple[object, int]]:
    found = rows(path)
    assert all(isinstance(row, Row) for row in found), found
    return [(row.value, row.line) for row in found if isinstance(row, Row)]


def problems(path: Path) -> list[Diagnostic]:
    with pytest.raises(SpecError) as caught:
        rows(path)
    return caught.value.diagnostics


def only(path: Path) -> tuple[str, str, str]:
    (problem,) = problems(path)
    return problem.code, str(problem.place), problem.message


class TestCsv:
    def test_rows_with_their_lines(self, write: Write) -> None:
        path = write("a.csv", 'id,text\r\n1,"two\r\nlines"\r\n\r\n2,"say ""hi"", ok"\r\n3,\r\n')
        assert values(path) == [
            ({"id": "1", "text": "two\r\nlines"}, 2),
            ({"id": "2", "text": 'say "hi", ok'}, 5),
            ({"id": "3", "text": ""}, 6),
        ]

    def test_columns_at_once_and_rows_again(self, write: Write) -> None:
        found = read_rows(write("a.csv", b"\xef\xbb\xbfid, name \n1,x\n"), "a.csv")
        assert isinstance(found, Rows)
        assert found.columns == ["id", "name"]
        assert list(found) == list(found) == [Row({"id": "1", "name": "x"}, 2)]

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.csv", "a,b\n1,2;3\n"),
            ("a.csv", "a;b\n1;2;3\n".replace("2;3", '"2;3"')),
            ("a.csv", "a\tb\n1\t2;3\n"),
            ("a.tsv", "a\tb\n1\t2;3\n"),
            ("A.CSV", "a,b\n1,2;3\n"),
            ("a.csv", "\n\na,b\n1,2;3"),
        ],
    )
    def test_delimiters(self, write: Write, name: str, text: str) -> None:
        assert [value for value, _ in values(write(name, text))] == [{"a": "1", "b": "2;3"}]

    def test_one_column(self, write: Write) -> None:
        assert values(write("a.csv", "lang\nde\nfr\n")) == [({"lang": "de"}, 2), ({"lang": "fr"}, 3)]

    def test_a_header_over_two_lines(self, write: Write) -> None:
        assert values(write("a.csv", '\n"a\nb",c\n1,2\n')) == [({"a\nb": "1", "c": "2"}, 4)]

    def test_no_rows(self, write: Write) -> None:
        assert rows(write("a.csv", "a,b\n")) == []

    @pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
    def test_empty_file(self, write: Write, text: str) -> None:
        assert only(write("a.csv", text)) == ("data-header", "a.csv", "the file is empty: it has no header")

    def test_all_wrong_column_names(self, write: Write) -> None:
        found = problems(write("a.csv", 'id,,"x, y",id, ,id\n'))
        assert [(d.code, str(d.place), d.message) for d in found] == [
            ("data-header", "a.csv:1:4", "a column has no name"),
            ("data-header", "a.csv:1:12", 'two columns are named "id"'),
            ("data-header", "a.csv:1:15", "a column has no name"),
            ("data-header", "a.csv:1:17", 'two columns are named "id"'),
        ]
        assert found[1].related == ((Place("a.csv", 1, 1), "named here first"),)

    def test_bad_rows_do_not_stop_the_others(self, write: Write) -> None:
        found = rows(write("a.csv", 'a,b,c\n1,2,3\n1\n"x\ny",2,3,"4"\n1,"2"x,3\n4,5,6\n'))
        assert [(type(row), row.line) for row in found] == [
            (Row, 2),
            (BadRow, 3),
            (BadRow, 4),
            (BadRow, 6),
            (Row, 7),
        ]
        few, many, quote = [row.diagnostic for row in found if isinstance(row, BadRow)]
        assert (few.code, str(few.place), few.message) == (
            "bad-row",
            "a.csv:3:1",
            "1 cell, and the header has 3",
        )
        assert few.hint == "missing: b, c"
        assert (str(many.place), many.message) == ("a.csv:5:8", "4 cells, and the header has 3")
        assert (str(quote.place), quote.message) == ("a.csv:6:1", "text follows a closing quote")

    def test_an_open_quote_is_no_row_to_skip(self, write: Write) -> None:
        path = write("a.csv", 'a,b\n1,2\n3,"x\n4,5\n6,7\n')
        reading = iter(read_rows(path, "a.csv"))
        assert next(reading) == Row({"a": "1", "b": "2"}, 2)
        with pytest.raises(SpecError) as caught:
            next(reading)
        (problem,) = caught.value.diagnostics
        assert (problem.code, str(problem.place)) == ("data-format", "a.csv:3:3")
        assert problem.message == "the quote that begins this cell is never closed"

    def test_an_endless_cell(self, write: Write) -> None:
        path = write("a.csv", 'a,b\n1,"' + "x\n" * csv.field_size_limit())
        assert only(path)[:2] == ("data-format", "a.csv:2:3")

    def test_an_open_quote_in_the_header(self, write: Write) -> None:
        assert only(write("a.csv", '"a,b\n1,2\n'))[:2] == ("data-format", "a.csv:1:1")

    def test_nul(self, write: Write) -> None:
        assert only(write("a.csv", "a,b\n1,x\0y\n"))[:2] == ("data-encoding", "a.csv:2:4")

    @pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json", "a.jsonl"])
    def test_undecodable(self, write: Write, name: str) -> None:
        path = write(name, b'["name"]\n' + '["ü'.encode() + b'\xfcber"]\n')
        assert only(path) == ("data-encoding", f"{name}:2:4", "not UTF-8: byte 0xfc")

    def test_undecodable_far_down(self, write: Write) -> None:
        path = write("a.csv", b"a\n" + b"x\n" * 100_000 + b"\xff\n")
        assert only(path)[:2] == ("data-encoding", "a.csv:100002:1")

    def test_utf_16(self, write: Write) -> None:
        (problem,) = problems(write("a.csv", "a,b\n1,2\n".encode("utf-16")))
        assert (problem.code, problem.hint) == ("data-encoding", "the file is UTF-16; save it as UTF-8")


class TestFiles:
    def test_missing(self, write: Write, tmp_path: Path) -> None:
        write("people.csv", "a\n")
        (problem,) = problems(tmp_path / "peple.csv")
        assert (problem.code, problem.message) == ("data-missing", 'there is no file "peple.csv"')
        assert problem.hint == 'did you mean "people.csv"? known: people.csv'

    def test_missing_folder(self, tmp_path: Path) -> None:
        assert only(tmp_path / "none" / "a.csv")[0] == "data-missing"

    def test_folder(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").mkdir()
        assert only(tmp_path / "a.csv") == ("data-missing", "a.csv", '"a.csv" is a folder')

    def test_unknown_kind(self, write: Write) -> None:
        (problem,) = problems(write("a.xlsx", "PK"))
        assert (problem.code, problem.message) == ("data-format", 'unknown kind of data file ".xlsx"')
        assert ".csv" in problem.hint


class TestJson:
    def test_rows_with_their_lines(self, write: Write) -> None:
        path = write("a.json", '\ufeff[\n  {"a": 1, "b": [true]},\n\n  "text", 2\n]\n')
        assert values(path) == [({"a": 1, "b": [True]}, 2), ("text", 4), (2, 4)]
        assert read_rows(path, "a").columns is None

    def test_no_rows(self, write: Write) -> None:
        assert rows(write("a.json", " [ ] ")) == []

    @pytest.mark.parametrize(
        ("text", "place", "message"),
        [
            ("", "", "the file is empty"),
            ('{"a": 1}', ":1:1", "the file is not a list of rows"),
            ("[1,\n2", ":2:2", 'expected "," or "]"'),
            ("[1,\n]", ":2:1", "not JSON: expecting value"),
            ("[1,\n {a: 2}]", ":2:3", "not JSON: expecting property name enclosed in double quotes"),
            ("[1]\nx", ":2:1", "something follows the end of the list"),
            ('[\n{"a": 1, "a": 2}]', ":2:1", '"a" is given twice'),
            ("[NaN]", ":1:2", '"NaN" is not JSON'),
            ("[" * 100_000, ":1:2", "nested too deeply"),
        ],
    )
    def test_problems(self, write: Write, text: str, place: str, message: str) -> None:
        assert only(write("a.json", text)) == ("data-format", f"a.json{place}", message)

    def test_a_list_is_no_row(self, write: Write) -> None:
        (row,) = rows(write("a.json", "[[1]]"))
        assert isinstance(row, BadRow)


class TestJsonLines:
    @pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson"])
    def test_rows(self, write: Write, name: str) -> None:
        path = write(name, '\ufeff{"a": "\u2028"}\r\n\n  "x"\n{"a": }\n{"a": 1, "a": 2}\n[1]\n3')
        found = rows(path)
        assert [row for row in found if isinstance(row, Row)] == [Row({"a": "\u2028"}, 1), Row("x", 3), Row(3, 7)]
        assert [(str(row.diagnostic.place), row.diagnostic.message) for row in found if isinstance(row, BadRow)] == [
            (f"{name}:4:7", "not JSON: expecting value"),
            (f"{name}:5:1", '"a" is given twice'),
            (f"{name}:6:1", "a row is a list"),
        ]


class TestYaml:
    def test_rows(self, write: Write) -> None:
        assert values(write("a.yaml", "- a: no\n  b: 1\n# x\n- text\n")) == [({"a": "no", "b": 1}, 1), ("text", 4)]
        assert isinstance(rows(write("a.yml", "- [1]\n"))[0], BadRow)

    def test_problems(self, write: Write) -> None:
        assert only(write("a.yaml", "a: 1\n")) == ("data-format", "a.yaml:1:1", "the file is not a list of rows")
        assert only(write("a.yaml", "")) == ("data-format", "a.yaml", "the file is empty")
        assert only(write("a.yaml", "- a: 1\n  a: 2\n"))[:2] == ("yaml-duplicate-key", "a.yaml:2:3")


class TestCellPlace:
    @pytest.mark.parametrize(
        ("line", "column", "expected"),
        [
            (2, "id", "2:1"),
            (2, "text", "2:3"),
            (2, "last", "3:8"),
            (4, "last", "4:11"),
            (5, "last", "5:4"),
            (5, "nothing", "5:1"),
            (6, "last", "6:1"),
            (99, "id", "99:1"),
        ],
    )
    def test_csv(self, write: Write, line: int, column: str, expected: str) -> None:
        path = write("a.csv", 'id,text,last\n1,"two\nlines",x\nü,"a"",b",x\n1,,\n1\n')
        assert str(cell_place("a.csv", path, line, column)) == f"a.csv:{expected}"

    def test_other_formats(self, write: Write) -> None:
        assert cell_place("a.jsonl", write("a.jsonl", '{"a": 1}\n'), 1, "a") == Place("a.jsonl", 1, 1)
