"""A YAML file as plain values that know where they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from ..core.diagnostics import Diagnostic, Place, did_you_mean
from ..errors import SpecError, UsageError
from .lines import Lines
from .yaml_builder import Marks, build
from .yaml_text import index_in_scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BYTES: Final = 64 * 1024 * 1024

# For libyaml (YAML 1.1) these are line breaks, for YAML 1.2, JSON and every editor they are text.
NO_BREAKS_IN_1_2: Final = "\x85\u2028\u2029"
FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Source:
    """A document that was read. ``file`` is as the user named it; ``data`` is None for an empty document.

    ``data`` must not be changed: positions are kept by the identity of its lists and maps.
    """

    file: str
    text: str = field(repr=False)
    data: Any = field(repr=False)
    _root: int | None = field(repr=False, compare=False)
    _marks: dict[int, Marks] = field(repr=False, compare=False)

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place:
        """Where the value at ``path`` is written, or its key in the map it belongs to.

        What came through an alias or a merge key is where it was written first. For a path that does not exist:
        the key of the nearest ancestor that does, or the place of that value if it has no key.
        """
        key_mark, value_mark, found = self._find(path)
        return self._place(key_mark if key_mark is not None and (key or not found) else value_mark)

    def place_in_text(self, path: Sequence[str | int], line_offset: int, column_offset: int) -> Place:
        """Where a character of the text at ``path`` is written; line and column of the value count from 0.

        Exact in literal blocks (``|``) and in text on one line; otherwise the place of the whole value.
        """
        _, mark, found = self._find(path)
        value = self._value(path) if found else None
        if mark is None or not isinstance(value, str):
            return self.place(path)
        return self._place(index_in_scalar(self._lines, mark, value, (line_offset, column_offset)))

    def line(self, number: int) -> str:
        """Source line ``number`` (from 1) without its line break; empty beyond the end."""
        return self._lines.line(number)

    @cached_property
    def _lines(self) -> Lines:
        return Lines(self.text)

    def _place(self, mark: int | None) -> Place:
        return Place(self.file) if mark is None else Place(self.file, *self._lines.position(mark))

    def _find(self, path: Sequence[str | int]) -> tuple[int | None, int | None, bool]:
        """The positions of key and value at ``path`` or at its nearest ancestor, and whether it was all found."""
        node, key_mark, value_mark = self.data, None, self._root
        for part in path:
            marks: Any = self._marks.get(id(node))
            if isinstance(node, dict) and part in node:
                key_mark, value_mark = marks[part]
            elif isinstance(node, list) and isinstance(part, int) and 0 <= part < len(node):
                key_mark, value_mark = None, marks[part]
            else:
                return key_mark, value_mark, False
            node = node[part]
        return key_mark, value_mark, True

    def _value(self, path: Sequence[str | int]) -> Any:
        node = self.data
        for part in path:
            node = node[part]
        return node


def load(file: str, text_or_bytes: str | bytes | None = None) -> Source:
    """Read one YAML document from ``file``, or from ``text_or_bytes`` under that name.

    :raises SpecError: with every problem that can be found
    :raises UsageError: the file is missing, a folder, or not readable
    """
    content = read_bounded(file) if text_or_bytes is None else text_or_bytes
    if len(content) > MAX_BYTES:
        raise _refusal(Place(file), "yaml-size", f"larger than {MAX_BYTES // 1024**2} MB", "split the file")
    text = decode(file, content) if isinstance(content, bytes) else content.removeprefix("\ufeff")
    readable, restore = _hide_breaks(text)
    try:
        built = build(file, readable, restore)
    except (yaml.reader.ReaderError, UnicodeEncodeError):
        raise _forbidden_character(file, text) from None
    return Source(file, text, built.data, built.root, built.marks)


def read_bounded(file: str) -> bytes:
    """The content of ``file``, at most one byte more than the limit."""
    path = Path(file)
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        hint = did_you_mean(path.name, names_near(path))
        raise UsageError(f'there is no file "{file}"', hint=hint) from None
    except IsADirectoryError:
        raise UsageError(f'"{file}" is a folder', hint="name a file in it") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise UsageError(f'"{file}" cannot be read: {getattr(error, "strerror", None) or error}') from None


def names_near(path: Path) -> list[str]:
    """Names of the files in the folder of ``path``, for a hint; none if it cannot be listed."""
    try:
        return [entry.name for entry in path.parent.iterdir() if entry.is_file() and not entry.name.startswith(".")]
    except OSError:
        return []


def decode(file: str, content: bytes) -> str:
    """UTF-8 with or without a byte order mark as text."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bad = error.start + (len(content) - len(error.object))  # the codec counts from after the mark
        before = content[:bad]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8-sig", "replace")) + 1
        place = Place(file, before.count(b"\n") + 1, column)
        message = f"not UTF-8: byte 0x{content[bad]:02x}"
        raise _refusal(place, "yaml-encoding", message, encoding_hint(content)) from None


def encoding_hint(content: bytes) -> str:
    """What to do about a file that is not UTF-8."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "the file is UTF-16; save it as UTF-8"
    return "save the file as UTF-8"


def _hide_breaks(text: str) -> tuple[str, dict[int, str]]:
    """``text`` with stand-ins for the breaks that are none, and the way back; one character stays one character."""
    present = [char for char in NO_BREAKS_IN_1_2 if char in text]
    if not present:
        return text, {}
    unused = (chr(code) for code in range(0xF0000, 0xFFFFD) if chr(code) not in text)
    stand_ins: dict[str, str | int | None] = dict(zip(present, unused, strict=False))
    back = {ord(str(stand_in)): char for char, stand_in in stand_ins.items()}
    return text.translate(str.maketrans(stand_ins)), back


def _forbidden_character(file: str, text: str) -> SpecError:
    match = FORBIDDEN.search(text)
    assert match is not None
    code = ord(match.group())
    hint = f'delete it, or write it as "\\x{code:02x}" in double quotes' if code < 0x100 else "delete it"
    place = Place(file, *Lines(text).position(match.start()))
    return _refusal(place, "yaml-encoding", f"the character U+{code:04X} is not allowed in YAML", hint)


def _refusal(place: Place, code: str, message: str, hint: str) -> SpecError:
    return SpecError([Diagnostic(place, code, message, hint)])
