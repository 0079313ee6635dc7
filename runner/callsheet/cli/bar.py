"""The live view on a terminal, by rich: one total bar and at most a dozen active tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping


class Bar:
    """One bar for all tasks. Rows for each task would cost more than the run itself."""

    def __init__(self, total: int, active: int) -> None:
        self._shown = active
        self._progress = Progress(
            TextColumn("tasks"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), auto_refresh=False
        )
        self._task = self._progress.add_task("tasks", total=total)
        self.live = Live(
            Group(self._progress),
            console=Console(stderr=True),
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
        )

    def update(self, ended: int, active: Mapping[str, str]) -> None:
        """Show how many tasks have ended and what the first active ones do."""
        self._progress.update(self._task, completed=ended)
        rows = [Text(f"  {address}  {state}", overflow="ellipsis", no_wrap=True) for address, state in active.items()]
        more = [Text(f"  … and {len(rows) - self._shown} more")] if len(rows) > self._shown else []
        self.live.update(Group(self._progress, *rows[: self._shown], *more))
