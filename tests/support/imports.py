"""Who imports whom, read from the source."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Import:
    """An import as it is written: what, where, and whether only a call of a function does it."""

    importer: str
    target: str
    name: str  # what is taken from the target; empty when that is the module itself
    line: int
    late: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target} {self.name}".rstrip()


def modules_in(root: Path, package: str) -> dict[str, Path]:
    """The modules of a package by their dotted names; ``root`` is the folder that the package is in."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(name: str, path: Path, known: set[str]) -> list[Import]:
    """All imports of a module but those for type checkers; ``from a import b`` is one of ``a.b`` if that is known."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        Import(name, *target, node.lineno, late)
        for node, late in _statements(tree, late=False)
        for target in _targets(node, package, known)
    ]


def _statements(node: ast.AST, *, late: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, late
        elif isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for other in child.orelse:
                yield from _statements(other, late=late)
        else:
            inside = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from _statements(child, late=late or inside)


def _targets(node: ast.Import | ast.ImportFrom, package: str, known: set[str]) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        parents = package.split(".")
        base = ".".join([*parents[: len(parents) - node.level + 1], *([base] if base else [])])
    for alias in node.names:
        full = f"{base}.{alias.name}"
        yield (full, "") if full in known else (base, alias.name)


def cycle_in(graph: dict[str, set[str]]) -> list[str]:
    """A cycle, from a name back to itself; empty if there is none."""
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph.get(name, ())):
            if found := walk(other, [*path, name]):
                return found
        done.add(name)
        return []

    for start in sorted(graph):
        if found := walk(start, []):
            return found
    return []
