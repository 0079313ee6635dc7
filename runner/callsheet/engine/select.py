"""`--select`: patterns over task addresses, such as ``save``, ``clip[row=C-00*]`` or ``clip[lang=es-ES]``."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..errors import UsageError

if TYPE_CHECKING:
    from ..plan.model import PlannedTask

_PATTERN = re.compile(r"(?P<step>[A-Za-z0-9_*?-]+)(?:\[(?P<axes>.*)\])?")


def fits(pattern: str, task: PlannedTask) -> bool:
    """Whether a task is meant: step and axis keys may hold ``*`` and ``?``; axes left out may be anything.

    Raises UsageError for a pattern that cannot be read.
    """
    found = _PATTERN.fullmatch(pattern)
    if not found:
        raise UsageError(f'"{pattern}" is not a pattern of tasks', hint="write step, or step[axis=key], with * and ?")
    if not fnmatchcase(task.step.id, found["step"]):
        return False
    wanted = dict(_axis(part, pattern) for part in (found["axes"] or "").split(",") if part)
    return all(axis in task.axes and fnmatchcase(task.axes[axis], key) for axis, key in wanted.items())


def _axis(part: str, pattern: str) -> tuple[str, str]:
    axis, equals, key = part.partition("=")
    if not equals:
        raise UsageError(f'"{part}" in "{pattern}" is not axis=key')
    return axis.strip(), key.strip()
