"""Where a state is: reads the user's `--state` value, and warns about folders that are not safe for it."""

from __future__ import annotations

import logging
import re
from pathlib import Path

from ..errors import UsageError

_log = logging.getLogger("callsheet.state")

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+)://")
_SQLITE = "sqlite:///"

#: File systems whose locks other machines may not see; SQLite's write-ahead log does not work across them at all.
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "9p", "fuse.s3fs", "fuse.rclone"})


def parse_location(location: str | None, default: Path) -> Path:
    """The state file that a path or ``sqlite:///…`` URL names; None gives the default. Error: UsageError."""
    if not location:
        return default
    scheme = _SCHEME.match(location)
    if scheme and not location.startswith(_SQLITE):
        # The URL itself is not shown: it may hold a password.
        raise UsageError(
            f'"{scheme[1]}://…" cannot hold the state: only a file path is supported by this version',
            hint="give a path such as .callsheet/state.db",
        )
    path = location.removeprefix(_SQLITE)
    if path in ("", ":memory:"):
        raise UsageError(f'"{location}" is not a file: the state has to outlive the command', hint="give a file path")
    return Path(path).expanduser()


def warn_of_network(path: Path, mounts: Path = Path("/proc/mounts")) -> None:
    """Log a warning if the file lies on a network file system, as far as the system tells."""
    kind = _file_system(path.resolve(), mounts)
    if kind in _NETWORK:
        _log.warning(
            'the state file "%s" is on a network file system (%s); use it from one machine only, '
            "or move it to a local disk with --state",
            path,
            kind,
        )


def _file_system(path: Path, mounts: Path) -> str:
    """The type of the innermost mount that holds the path; empty when unknown."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = 0, ""
    for line in lines:
        _, point, found, *_ = line.split(" ")
        # The kernel writes blanks in names as octal escapes.
        point = point.replace("\\040", " ")
        if len(point) >= best and path.is_relative_to(point):
            best, kind = len(point), found
    return kind
