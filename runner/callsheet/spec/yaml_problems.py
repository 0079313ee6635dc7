"""What can be wrong with the content of a YAML document, in words, collected while it is read on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from ..core.diagnostics import Diagnostic, Place, by_place, did_you_mean
from ..errors import SpecError
from .lines import Lines
from .yaml_hints import expression_hint
from .yaml_scalars import TAG_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable


class Problems:
    """The problems of one document. Positions (``mark``) are indexes into ``text``."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines = Lines(text)
        self.found: list[Diagnostic] = []
        self._broken_lines: set[int] = set()  # what else is wrong in them only follows

    def add(self, mark: int, code: str, message: str, hint: str = "", see: tuple[int, str] | None = None) -> None:
        """One problem at ``mark``; ``see`` is a second position and what is there."""
        related = ((self._place(see[0]), see[1]),) if see else ()
        self.found.append(Diagnostic(self._place(mark), code, message, hint, related=related))

    def stop(self, mark: int, code: str, message: str, hint: str = "") -> NoReturn:
        """Report and give up, because reading on would be unsafe or pointless."""
        self.add(mark, code, message, hint)
        self.raise_if_any()
        raise AssertionError

    def raise_if_any(self) -> None:
        """:raises SpecError: with everything found, if there is something"""
        if self.found:
            raise SpecError(by_place(self.found))

    def syntax(self, problem: Diagnostic) -> None:
        """The parser's own problem, unless it only follows from one that is known in the same line."""
        if problem.place.line not in self._broken_lines:
            self.found.append(problem)

    def _place(self, mark: int) -> Place:
        return Place(self.file, *self.lines.position(mark))

    def duplicate_key(self, mark: int, name: str, first: int) -> None:
        hint = 'give several maps as a list: "<<: [*a, *b]"' if name == "<<" else "delete one of the two"
        self.add(mark, "yaml-duplicate-key", f'"{name}" is given twice', hint, (first, "given here first"))

    def unknown_anchor(self, mark: int, name: str, known: Iterable[str]) -> None:
        hint = did_you_mean(name, known) or f'if it is text, put quotes round it: "*{name}"'
        self.add(mark, "yaml-syntax", f'there is no anchor "&{name}" above this line', hint)

    def alias_in_itself(self, mark: int, name: str, anchor: int) -> None:
        message = f'"*{name}" stands inside the value that it names'
        hint = "write the value out, or move the anchor"
        self.add(mark, "yaml-aliases", message, hint, (anchor, "the anchor is here"))

    def unknown_tag(self, mark: int, tag: str) -> None:
        shown = "!!" + tag.removeprefix(TAG_PREFIX) if tag.startswith(TAG_PREFIX) else tag
        hint = 'delete it; if it is text that begins with "!", put quotes round it'
        self.add(mark, "yaml-tag", f'unknown tag "{shown}"', hint)

    def wrong_tag(self, mark: int, tag: str, text: str) -> None:
        message = f'"{text}" is not a value of the type "!!{tag.removeprefix(TAG_PREFIX)}"'
        self.add(mark, "yaml-tag", message, "delete the tag")

    def key_is_no_text(self, mark: int, value: Any) -> None:
        """A key that is a number, a truth value, null, or (through an alias) a list or map."""
        if self.lines.position(mark)[0] in self._broken_lines:
            return
        word = self._rest(mark).partition(":")[0].strip()
        if not word:
            self.add(mark, "yaml-key", "a key is missing before the colon", "write a name before the colon")
            return
        kind = "true or false" if isinstance(value, bool) else "a number" if isinstance(value, int | float) else "none"
        self.add(mark, "yaml-key", f"a key has to be text, and this one is {kind}", f'put quotes round it: "{word}"')

    def key_is_container(self, mark: int, outer: int) -> None:
        """A list or map as a key; after an ``outer`` brace it is an expression without quotes."""
        line, column = self.lines.position(mark)
        rest = self.lines.line(line)[column - 1 :]
        if line in self._broken_lines:
            return
        if outer == mark - 1 and rest.startswith("{"):
            self._broken_lines.add(line)
            self.add(outer, "yaml-syntax", 'unquoted "{{"', expression_hint(self.lines.line(line), column - 2))
        else:
            kind = "a list" if rest.startswith(("[", "-")) else "a map"
            self.add(mark, "yaml-key", f"a key has to be text, and this one is {kind}", "put quotes round it")

    def _rest(self, mark: int) -> str:
        line, column = self.lines.position(mark)
        return self.lines.line(line)[column - 1 :]
