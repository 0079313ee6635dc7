"""What an expression reads: every chain of names in its syntax tree that comes from outside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Found = Iterator[tuple[nodes.Node, bool]]


@dataclass(frozen=True, slots=True)
class Reference:
    """A chain of names that an expression reads: ``("steps", "dub", "outputs", "video")``.

    None stands for a key that is itself computed. ``optional``: under ``default()`` or ``is defined``. Line and column
    count from 0 inside the text.
    """

    chain: tuple[str | int | None, ...]
    line: int
    column: int
    optional: bool = False

    def __str__(self) -> str:
        return ".".join("[…]" if part is None else str(part) for part in self.chain)


def references(tree: nodes.Template, text: str) -> Iterator[Reference]:
    """Every chain that starts at a name from outside, with its place."""
    lines = text.split("\n")
    for node, optional in _chains(tree, frozenset(), False):
        chain = _chain_of(node)
        line = min(node.lineno - 1, len(lines) - 1)
        yield Reference(chain, line, _column(lines[line], chain), optional)


def _chain_of(node: nodes.Node) -> tuple[str | int | None, ...]:
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        return (*_chain_of(node.node), node.attr)
    assert isinstance(node, nodes.Getitem)
    key = node.arg.value if isinstance(node.arg, nodes.Const) else None
    return (*_chain_of(node.node), key)


def _column(line: str, chain: tuple[str | int | None, ...]) -> int:
    """Where the chain stands in its line; Jinja keeps lines only. The first spelling that fits is taken."""
    names = [re.escape(str(part)) for part in chain if part is not None]
    for count in range(len(names), 0, -1):
        separator = r"""\s*(?:\.|\[\s*['"]?)\s*"""
        found = re.search(r"(?<![\w.])" + separator.join(names[:count]), line)
        if found:
            return found.start()
    return max(0, line.find("${{"))


def _chains(node: nodes.Node, local: frozenset[str], optional: bool) -> Found:
    """Walk the tree; names that `for` and `set` give inside the text are not references."""
    if isinstance(node, nodes.Name | nodes.Getattr | nodes.Getitem) and _is_chain(node):
        if _root(node) not in local and getattr(node, "ctx", "load") == "load":
            yield node, optional
        yield from _computed_keys(node, local, optional)
    elif isinstance(node, nodes.Filter) and node.name in ("default", "d") and node.node is not None:
        yield from _chains(node.node, local, True)
        yield from _all(node.iter_child_nodes(exclude=("node",)), local, optional)
    elif isinstance(node, nodes.Test) and node.name in ("defined", "undefined"):
        yield from _chains(node.node, local, True)
    elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        # A method is no part of the chain: `row.get('x')` reads `row`.
        yield from _all((node.node.node, *node.iter_child_nodes(exclude=("node",))), local, optional)
    elif isinstance(node, nodes.For):
        # What is looped over is read outside of the loop, whose names hide others inside.
        yield from _chains(node.iter, local, optional)
        inside = local | _target(node.target) | {"loop"}
        yield from _all([node.test] if node.test is not None else [], inside, optional)
        yield from _body(node.body, inside)
        yield from _body(node.else_, local)
    elif isinstance(node, nodes.Template):
        yield from _body(node.body, local)
    else:
        yield from _all(node.iter_child_nodes(), local, optional)


def _all(children: Iterable[nodes.Node], local: frozenset[str], optional: bool) -> Found:
    for child in children:
        yield from _chains(child, local, optional)


def _body(statements: Iterable[nodes.Node], local: frozenset[str]) -> Found:
    """One after the other: a `set` gives its name to what follows, and an `if` is no scope of its own."""
    for statement in statements:
        if isinstance(statement, nodes.Assign):
            yield from _chains(statement.node, local, False)
            local |= _target(statement.target)
        elif isinstance(statement, nodes.AssignBlock):
            yield from _body(statement.body, local)
            local |= _target(statement.target)
        elif isinstance(statement, nodes.If):
            yield from _chains(statement.test, local, False)
            for branch in (statement.body, statement.elif_, statement.else_):
                yield from _body(branch, local)
            local |= _set_inside(statement)
        else:
            yield from _chains(statement, local, False)


def _set_inside(node: nodes.Node) -> frozenset[str]:
    """Names that an `if` may have set."""
    targets = [assign.target for assign in node.find_all(nodes.Assign)]
    targets += [assign.target for assign in node.find_all(nodes.AssignBlock)]
    return frozenset(name for target in targets for name in _target(target))


def _target(node: nodes.Node) -> frozenset[str]:
    if isinstance(node, nodes.Name):
        return frozenset({node.name})
    return frozenset(name.name for name in node.find_all(nodes.Name))


def _is_chain(node: nodes.Node) -> bool:
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        node = node.node
    return isinstance(node, nodes.Name)


def _root(node: nodes.Node) -> str:
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        node = node.node
    assert isinstance(node, nodes.Name)
    return node.name


def _computed_keys(node: nodes.Node, local: frozenset[str], optional: bool) -> Found:
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Const):
            yield from _chains(node.arg, local, optional)
        node = node.node
