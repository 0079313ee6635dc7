"""Fenced blocks of Markdown files: finding them, running their commands, comparing what comes out."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FENCE = re.compile(r"^ *(`{3,})\s*([\w-]*)\s*$")
_COMMENT = re.compile(r"<!-- (not executed|file|saved as|in): (.+?) -->")
#: A price of an example hangs on how long a voice speaks, and so on the version of the voice.
_PRICE = re.compile(r"\d+\.\d{4}")
_TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. ``exempt`` says why it is not executed; ``file`` is the file of the checkout that it shows.

    ``saved_as`` is the file that a reader would make of it, ``folder`` where a reader would be, both from the top.
    """

    readme: str
    line: int
    language: str
    text: str
    exempt: str = ""
    file: str = ""
    saved_as: str = ""
    folder: str = ""

    def __str__(self) -> str:
        return f"{self.readme}:{self.line}"


@dataclass(slots=True)
class Command:
    """A command with the output that is shown below it."""

    text: str
    shown: list[str] = field(default_factory=list)


def blocks_of(readme: str, text: str) -> Iterator[Block]:
    """The blocks of a file; a comment in the line above a block is about it."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        opening = _FENCE.match(lines[at])
        if opening is None:
            at += 1
            continue
        end = next(n for n in range(at + 1, len(lines)) if lines[n].strip() == opening[1])
        comment = _COMMENT.fullmatch(lines[at - 1].strip()) if at else None
        said = {comment[1]: comment[2]} if comment else {}
        content = "".join(line + "\n" for line in lines[at + 1 : end])
        about = (said.get(name, "") for name in ("not executed", "file", "saved as", "in"))
        yield Block(readme, at + 1, opening[2], content, *about)
        at = end + 1


def commands_of(text: str) -> list[Command]:
    """The commands of a block: what follows `$ `, on more lines if they end in a backslash."""
    found: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        elif found and found[-1].text.endswith("\\") and not found[-1].shown:
            found[-1].text += "\n" + line
        elif found:
            found[-1].shown.append(line)
        elif line.strip():
            raise AssertionError(f'a block of commands begins with "$ ", not with "{line}"')
    return found


class Shell:
    """Runs commands one after the other; the current folder is kept."""

    def __init__(self, folder: Path, env: dict[str, str], notes: Path) -> None:
        self.env = env
        self._folder, self._notes = str(folder), notes

    def run(self, command: str) -> tuple[int, str]:
        """The exit code, and stdout with stderr as a terminal would show them."""
        script = f'{command}\ncode=$?\npwd > "{self._notes}"\nexit $code'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
            check=False,
        )
        if self._notes.exists():
            self._folder = self._notes.read_text(encoding="utf-8").strip()
        return done.returncode, done.stdout


def fits(shown: list[str], actual: str) -> bool:
    """Whether an output is as shown: `…` in a line stands for any text, and alone for any number of lines."""
    while shown and not shown[-1].strip():
        shown = shown[:-1]
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "…" else f"{_line_pattern(line)}\n" for line in shown)
    text = "".join(line.rstrip() + "\n" for line in actual.rstrip().splitlines())
    match = re.fullmatch(pattern, text)
    if match is None:
        return False
    prices = [float(price) for line in shown for price in _PRICE.findall(line)]
    return all(
        abs(float(was) - expected) <= expected * _TOLERANCE
        for was, expected in zip(match.groups(), prices, strict=True)
    )


def _line_pattern(line: str) -> str:
    parts = (re.escape(part).replace("…", ".*") for part in _PRICE.split(line.rstrip()))
    return r"(\d+\.\d{4})".join(parts)
