"""When an account may send its next request: one row per account, so that all processes share its pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .queries import SQL

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable


def take_turn(
    connection: sqlite3.Connection, clock: Callable[[], float], account: str, per_second: float, turns: int
) -> float:
    """Take the next turns (GCRA without burst); gives the seconds until the first."""
    now = clock()
    row = connection.execute(SQL["pace"], {"account": account}).fetchone()
    turn = max(now, *row) if row else now
    connection.execute(SQL["put_pace"], {"account": account, "next_at": turn + turns / per_second})
    return turn - now
