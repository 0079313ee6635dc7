"""What several commands need: the project, the plugins, the state, and a plan made out of them."""

from __future__ import annotations

import gc
import logging
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..redaction import RedactingFormatter, Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..engine.sessions import Sessions
    from ..expressions import Expressions
    from ..plan.build import Facts
    from ..plan.model import Plan
    from ..plan.targets import Targets
    from ..project import Project
    from ..registry import Registry
    from ..spec.bind import Given
    from ..spec.load import BoundJob
    from ..spec.problems import Problems
    from ..state.protocol import State

#: Everything that leaves the program as text passes this.
redactor = Redactor()

_INPUTS = click.option("-i", "--input", "pairs", multiple=True, metavar="NAME=VALUE", help="Set an input of the job.")
_INPUTS_FILE = click.option("--inputs", "inputs_file", metavar="FILE", help="Read inputs from a YAML or JSON file.")
_STATE = click.option(
    "--state", metavar="PATH|URL", help="The state to use; default: .callsheet/state.db of the project."
)
_ROOTS = click.option(
    "--allow-root", "roots", multiple=True, metavar="DIR", help="Let the job read and write in this folder too."
)


def job_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that reads a job file."""
    for option in (_ROOTS, _STATE, _INPUTS_FILE, _INPUTS):
        function = option(function)
    return function


state_option = _STATE


def set_up_logging(verbose: int) -> None:
    """Log to stderr, redacted. Libraries below us speak only when asked twice."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"), redactor))
    level = {0: logging.WARNING, 1: logging.INFO}.get(verbose, logging.DEBUG)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    if verbose < 2:
        logging.getLogger("httpx").setLevel(logging.WARNING)
        logging.getLogger("httpcore").setLevel(logging.WARNING)


@dataclass(slots=True)
class Workspace:
    """One command's world. ``env`` and ``settings`` may be changed before anything is opened: the sandbox does."""

    project: Project
    registry: Registry
    expressions: Expressions
    given: Given
    roots: tuple[Path, ...]
    state: State | None = None
    look: bool = True
    env: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)

    def problems(self) -> Problems:
        """A fresh collection of problems."""
        from ..spec.problems import Problems

        return Problems()

    def bind(self, file: str, problems: Problems) -> BoundJob | None:
        """Read, check and bind a job file."""
        from ..spec.load import Loading, load

        loading = Loading(
            self.registry, self.expressions, self._prober(), self.env, self.given, self.project.provider, self.look,
            (*self.project.roots, *self.roots), self.project.env,
        )  # fmt: skip
        return load(file, loading, problems)

    def targets(self, bound: BoundJob) -> Targets:
        """The output files of a job."""
        from ..plan.targets import Targets

        return Targets(bound.job.folder, (*self.project.roots, *self.roots))

    def facts(self, targets: Targets, accounts: Mapping[str, str]) -> Facts:
        """What planning may ask."""
        from ..plan.build import Facts

        return Facts(self.state, accounts, targets, priced=self.state is not None)

    def plan(self, file: str, sessions: Sessions | None, problems: Problems) -> tuple[Plan, Targets] | None:
        """The plan of a job file; None when it could not even be read."""
        from ..plan.build import Planner

        bound = self.bind(file, problems)
        if bound is None:
            return None
        targets = self.targets(bound)
        accounts = sessions.known_accounts(providers(bound)) if sessions is not None else {}
        return Planner(bound, self.registry, self.facts(targets, accounts), problems).build(), targets

    def sessions(self) -> Sessions:
        """Connections to providers, with the settings of the project."""
        from ..engine.clock import RealClock
        from ..engine.sessions import Sessions

        assert self.state is not None
        settings = {**self.project.providers, **self.settings}
        return Sessions(self.registry, self.state, self.env, settings, RealClock())

    def _prober(self) -> Any:
        from ..media import Prober
        from ..state.protocol import FileFacts

        state = self.state
        if state is None:
            return Prober()

        def store(path: str, size: int, mtime_ns: int, inode: int, facts: Mapping[str, Any]) -> None:
            state.put_file_facts(FileFacts(path, size, mtime_ns, inode, dict(facts)))

        return Prober(state.file_facts, store)


def providers(bound: BoundJob) -> list[str]:
    """The prefixes of all plugins that a job uses, in order."""
    return list(dict.fromkeys(step.provider for step in bound.job.steps.values() if step.provider))


@contextmanager
def workspace(
    file: str,
    *,
    pairs: tuple[str, ...] = (),
    inputs_file: str | None = None,
    state: str | None = None,
    roots: tuple[str, ...] = (),
    with_state: bool = True,
    create: bool = True,
    look: bool = True,
) -> Iterator[Workspace]:
    """Everything for commands about one job file; the state is closed at the end."""
    from ..expressions import Expressions
    from ..project import find
    from ..registry import Registry
    from ..spec.load import given_inputs

    # A plan is hundreds of thousands of small objects that live to the end: walking them again and again finds nothing.
    gc.set_threshold(50_000, 20, 100)
    project = find(Path(file).resolve().parent)
    registry = Registry()
    space = Workspace(
        project,
        registry,
        Expressions(more_filters=registry.filters),
        given_inputs(pairs, inputs_file),
        tuple(Path(root).resolve() for root in roots),
        look=look,
    )
    if with_state:
        space.state = open_state_of(project, state, create=create)
    try:
        yield space
    finally:
        if space.state is not None:
            space.state.close()


def open_state_of(project: Project, location: str | None, *, create: bool = False) -> State:
    """The state that a flag, the project file or the default names; an empty one where there is none and none is to be.

    Looking at a job leaves nothing behind: only `run` makes a state.
    """
    from ..state import memory_state, open_state
    from ..state.locations import parse_location

    named = location or os.environ.get("CALLSHEET_STATE")
    if named is None and project.state is not None:
        named = project.state if "://" in project.state else str(project.folder / project.state)
    if not create and not parse_location(named, project.state_path).exists():
        return memory_state()
    return open_state(named, project.state_path)


def print_json(document: Any) -> None:
    """One JSON document on stdout: the same data give the same bytes."""
    import json

    click.echo(redactor(json.dumps(document, indent=2, ensure_ascii=False, sort_keys=False)))
