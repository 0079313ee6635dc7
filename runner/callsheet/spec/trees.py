"""Values of a job file as trees: constants, and templates compiled at the leaves that hold expressions."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from ..core.model import Located, Tree
from ..core.values import Deferred
from ..expressions import ExpressionError, is_template

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.diagnostics import Place
    from ..core.model import Path
    from ..expressions import Expressions, Names
    from .problems import Problems
    from .source import Source

#: Names that expressions can read, besides the axes.
CONTEXTS = frozenset({"inputs", "vars", "steps", "job", "env"})
_BARE = re.compile(r"(?<!\$)\{\{-?\s*([a-z_][a-z0-9_]*)\s*[.\[|}]")


class TreeBuilder:
    """Builds trees from one source. Problems with expressions are collected, not raised."""

    def __init__(self, source: Source, expressions: Expressions, problems: Problems, axes: frozenset[str]) -> None:
        self._source = source
        self._expressions = expressions
        self._problems = problems
        self._contexts = CONTEXTS | axes

    def tree(self, path: Path, value: Any) -> Tree:
        """The tree of the value at the path."""
        place = self._source.place(path)
        if isinstance(value, str):
            return self._text(path, place, value)
        if isinstance(value, dict):
            entries = {key: self.tree((*path, key), item) for key, item in value.items()}
            return Tree(path, place, {key: part.constant for key, part in entries.items()}, entries=entries)
        if isinstance(value, list):
            items = [self.tree((*path, index), item) for index, item in enumerate(value)]
            return Tree(path, place, [part.constant for part in items], items=items)
        return Tree(path, place, value)

    def condition(self, path: Path, value: str | bool) -> Located | None:
        """A boolean expression; None when it does not compile."""
        text = str(value).lower() if isinstance(value, bool) else value
        return self._compiled(path, text, self._expressions.condition)

    def expression(self, path: Path, value: str) -> Located | None:
        """A template, compiled as it is."""
        return self._compiled(path, value, self._expressions.compile)

    def _text(self, path: Path, place: Place, text: str) -> Tree:
        self._refuse_bare(path, text)
        if not is_template(text):
            return Tree(path, place, text)
        located = self._compiled(path, text, self._expressions.compile)
        # What does not compile was reported; what it would have been is not known.
        return Tree(path, place, text if located else Deferred("a broken expression"), located)

    def _refuse_bare(self, path: Path, text: str) -> None:
        for found in _BARE.finditer(text):
            if found[1] in self._contexts:
                before = text[: found.start()]
                line = before.count("\n")
                place = self._source.place_in_text(path, line, found.start() - (before.rfind("\n") + 1))
                whole = text[found.start() :].split("}}", maxsplit=1)[0] + "}}"
                self._problems.error(
                    place, "expression-bare", f'"{whole}" is plain text here', f'write it as an expression: "${whole}"'
                )

    def _compiled(self, path: Path, text: str, compile_: Callable[[str], Any]) -> Located | None:
        place_in = partial(self._source.place_in_text, path)
        try:
            return Located(compile_(text), self._source.place(path), place_in)
        except ExpressionError as problem:
            self._problems.error(place_in(problem.line, problem.column), problem.code, problem.message, problem.hint)
            return None


def merged(base: Tree, over: Tree) -> Tree:
    """``over`` over ``base``: maps merge, anything else is replaced."""
    if base.entries is None or over.entries is None:
        return over
    below = base.entries
    entries = {**below, **{k: merged(below[k], v) if k in below else v for k, v in over.entries.items()}}
    return Tree(over.path, over.place, {key: part.constant for key, part in entries.items()}, entries=entries)


def render(tree: Tree, names: Names, failed: Callable[[Located, ExpressionError], Any]) -> Any:
    """The value of a tree. ``failed`` decides what stands where an expression fails."""
    if tree.is_constant:
        return tree.constant
    if tree.located is not None:
        try:
            return tree.located.template.render(names)
        except ExpressionError as problem:
            return failed(tree.located, problem)
    if tree.entries is not None:
        return {
            key: part.constant if part.is_constant else render(part, names, failed)
            for key, part in tree.entries.items()
        }
    if tree.items is not None:
        return [part.constant if part.is_constant else render(part, names, failed) for part in tree.items]
    return tree.constant
