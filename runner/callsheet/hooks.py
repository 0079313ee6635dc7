"""The hooks a plugin may implement. Hooks register; nothing is executed through them.

A plugin is a module named by an entry point of the group ``callsheet``; the entry point's name is the prefix of its
operations. Each hook is called once, when a job first needs the plugin. An implementation may take fewer arguments than
the specification, so arguments can be added without breaking plugins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import click

    from .core.operation import BaseOperation, Provider

GROUP = "callsheet"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def callsheet_operations() -> Iterable[BaseOperation]:
    """The plugin's operations, each named ``<prefix>/<name>``.

    Called once, without network or credentials. Since 0.1.
    """
    raise NotImplementedError


@hookspec
def callsheet_provider() -> Provider:
    """The provider that the plugin's operations talk to. Plugins of local operations leave it out.

    Called once, without network or credentials. Since 0.1.
    """
    raise NotImplementedError


@hookspec
def callsheet_filters() -> Mapping[str, Callable[..., Any]]:
    """Jinja filters for expressions. They must be pure: no clock, no randomness, no files, no network. Since 0.1."""
    raise NotImplementedError


@hookspec
def callsheet_event(event: Mapping[str, Any], job: str) -> None:
    """Observe what happens in a run.

    ``event`` has the published shape of a line of `run --output jsonl`; ``job`` is the job's name. Exceptions are
    logged and never stop a run. Since 0.1.
    """


@hookspec
def callsheet_commands(group: click.Group) -> None:
    """Add commands to the command line. Since 0.1."""
