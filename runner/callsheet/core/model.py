"""The job as it is written: values made by `spec.parse`, with expressions compiled and references known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..expressions import Reference, Template
    from .diagnostics import Place
    from .money import Money
    from .operation import BaseOperation

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Located:
    """A template and where its text stands. ``place_in`` finds a place inside the text (line and column from 0)."""

    template: Template
    place: Place
    place_in: Callable[[int, int], Place]


@dataclass(frozen=True, slots=True)
class Tree:
    """A value of the job file with templates at some of its leaves; each part knows where it is written.

    ``constant`` is the value as written, ``located`` its template, ``entries`` or ``items`` its parts.
    """

    path: Path
    place: Place
    constant: Any = None
    located: Located | None = None
    entries: Mapping[str, Tree] | None = None
    items: Sequence[Tree] | None = None
    #: Whether no part of it is computed.
    is_constant: bool = field(init=False)

    def __post_init__(self) -> None:
        constant = self.located is None and all(part.is_constant for part in self.parts())
        object.__setattr__(self, "is_constant", constant)

    def parts(self) -> Sequence[Tree]:
        """The values inside a map or list."""
        return [*self.entries.values()] if self.entries is not None else self.items or ()

    def leaves(self) -> list[Located]:
        """Every template in it, in file order."""
        if self.located is not None:
            return [self.located]
        return [leaf for part in self.parts() for leaf in part.leaves()]

    def at(self, path: Sequence[str | int]) -> Tree:
        """The part at the path, or the nearest part above it that exists."""
        part: Tree = self
        for key in path:
            inner = part.entries.get(str(key)) if part.entries is not None else None
            if part.items is not None and isinstance(key, int) and key < len(part.items):
                inner = part.items[key]
            if inner is None:
                break
            part = inner
        return part


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One entry of ``inputs``. ``schema`` is JSON Schema, with types of ours by reference."""

    name: str
    schema: dict[str, Any]
    place: Place
    default: Any = None
    has_default: bool = False
    required: bool = True
    env: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Axis:
    """One entry of ``foreach``. ``source`` gives the items, or ``data_file`` names them."""

    name: str
    place: Place
    source: Tree | None
    data_file: Tree | None
    key: str | None
    key_template: Located | None
    schema_file: Tree | None
    schema: dict[str, Any] | None
    where: Located | None
    limit: int | None
    max_items: int
    skip_bad_rows: bool


@dataclass(frozen=True, slots=True)
class Retry:
    """How often one purchase's requests may be repeated, and after which classes of failure."""

    attempts: int = 6
    on: frozenset[str] = frozenset({"network", "rate_limited", "server_error", "not_ready"})


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend. ``allow_unknown`` is None when the file does not say."""

    maximum: Money | None = None
    per_task: Money | None = None
    allow_unknown: bool | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of ``steps``. ``place`` is its first line; ``inputs`` is ``with`` over the defaults."""

    id: str
    uses: str
    place: Place
    uses_place: Place
    operation: BaseOperation | None
    provider: str | None
    inputs: Tree
    condition: Located | None
    needs: tuple[str, ...]
    needs_places: tuple[Place, ...]
    per: tuple[str, ...] | None
    per_place: Place
    require: tuple[Located, ...]
    ensure: tuple[Located, ...]
    retry: Retry
    timeout: float | None
    continue_on: bool | frozenset[str]
    description: str = ""
    #: Axes that it uses, directly or through the steps it refers to, in the order of ``foreach``.
    axes: tuple[str, ...] = ()
    #: Steps whose tasks with the same axis values it reads.
    reads: tuple[str, ...] = ()
    #: Steps of which it reads all tasks.
    reads_all: tuple[str, ...] = ()

    def templates(self) -> list[tuple[Located, str]]:
        """Every expression of the step, with the key it stands under."""
        found = [(leaf, "with") for leaf in self.inputs.leaves()]
        if self.condition is not None:
            found.append((self.condition, "if"))
        found += [(located, "require") for located in self.require]
        return found + [(located, "ensure") for located in self.ensure]


@dataclass(frozen=True, slots=True)
class Job:
    """A job file. ``folder`` is its directory, absolute; ``file`` is its name as the user gave it."""

    name: str
    file: str
    folder: str
    place: Place
    provider: str | None
    inputs: Mapping[str, InputSpec]
    variables: Mapping[str, Tree]
    axes: Mapping[str, Axis]
    steps: Mapping[str, Step]
    outputs: Mapping[str, Tree]
    budget: Budget
    concurrency: int | None = None
    description: str = ""
    #: Names of environment variables that expressions may read.
    env_names: frozenset[str] = field(default_factory=frozenset)


def references(located: Located) -> Sequence[Reference]:
    """What a template reads."""
    return located.template.references
