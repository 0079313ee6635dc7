"""Lengths of time as people write them: ``90s``, ``30m``, ``2h``, ``1d``."""

from __future__ import annotations

import re

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smhd])\s*")


def parse_duration(value: object) -> float:
    """Seconds. A plain number counts as seconds. A ValueError says how to write anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f'"{value}" is not a length of time; write it like 90s, 30m or 2h')
    return float(found[1]) * _UNITS[found[2]]


def show_duration(seconds: float) -> str:
    """Short, for people: ``4.2s``, ``3m10s``, ``2h05m``."""
    if seconds < 60:
        return f"{seconds:.1f}".rstrip("0").rstrip(".") + "s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s"
    return f"{minutes // 60}h{minutes % 60:02d}m"
