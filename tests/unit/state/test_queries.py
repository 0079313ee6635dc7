"""The file of statements: each is named, explained, and valid for the schema."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from pathlib import Path

import pytest

from callsheet.state import queries
from callsheet.state.schema import load_migrations, migrate

TEXT = Path(queries.__file__).with_name("queries.sql").read_text()


def test_load() -> None:
    assert queries.load("-- a head\n-- name: a\n-- Says why.\nselect 1;\n\n-- name: b\n-- Why.\nselect\n  2;\n") == {
        "a": "select 1",
        "b": "select\n  2",
    }


def test_each_statement_has_a_sentence() -> None:
    without = re.findall(r"-- name: (\w+)\n(?!-- [A-Z].*)", TEXT)
    assert without == []


@pytest.mark.parametrize("name", queries.SQL)
def test_each_statement_fits_the_schema_and_is_used(name: str) -> None:
    sql = queries.SQL[name]
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, load_migrations(), "memory")
        count = sql.count("?")
        values = [None] * count if count else dict.fromkeys(re.findall(r":(\w+)", sql))
        connection.execute(f"explain {sql}", values)
    code = "".join(file.read_text() for file in Path(queries.__file__).parent.glob("*.py"))
    assert f'"{name}"' in code
