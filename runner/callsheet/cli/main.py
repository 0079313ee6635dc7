"""The command `callsheet`. Importing this module imports click and the errors, nothing else of weight."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from .. import __version__
from ..errors import CallsheetError, ExitCode, SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Commands in the order of help; each lives in the module of its name and is imported when it is called.
COMMANDS = {
    "init": "Write a first job to start from.",
    "validate": "Check job files without sending anything.",
    "plan": "Show what a run would do and what it costs.",
    "run": "Do what is missing; run again to finish.",
    "status": "Show how the last run of a job stands.",
    "show": "Show what the state knows about a job's tasks.",
    "operations": "List operations, or tell what one takes, gives and costs.",
    "plugins": "List plugins, with the reason when one cannot be used.",
    "schema": "Print the JSON Schema of job files.",
    "sandbox": "Serve a HeyGen-compatible API on this machine, for free.",
    "doctor": "Check this machine, the plugins, the state and the key.",
}

EPILOG = """\b
Exit codes:
  0  done (nothing to do is done)          5  stopped before spending
  1  some tasks failed                     6  waiting for a person
  2  usage or invalid spec, nothing sent   20 plan --exit-code: something would run
  3  authentication or permission          70 a bug in callsheet
  4  still in progress at the provider     130/143 interrupted, state kept

\b
Examples:
  callsheet plan job.yaml
  callsheet run job.yaml --sandbox
"""


@contextlib.contextmanager
def _forgiving() -> Iterator[None]:
    """A reader of our output that goes away is nothing wrong; click would make an exit with 1 of it: tasks failed."""
    try:
        yield
    except BrokenPipeError:
        # Python would complain again while closing them.
        for stream in (sys.stdout, sys.stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise click.exceptions.Exit(ExitCode.DONE) from None


class LazyGroup(click.Group):
    """Imports a command's module when the command is needed, so that `--help` stays quick."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See `click.Command.parse_args`."""
        with _forgiving():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """See `click.Command.invoke`."""
        with _forgiving():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See `click.Group.list_commands`."""
        return [*COMMANDS, *sorted(set(self.commands) - set(COMMANDS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See `click.Group.get_command`."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            module = importlib.import_module(f".commands.{cmd_name}", __package__)
            self.add_command(module.command, cmd_name)
        return super().get_command(ctx, cmd_name) or self._of_plugins(ctx, cmd_name)

    def _of_plugins(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command that a plugin brings. Plugins are loaded for a name that is not ours, not for each start."""
        from ..registry import Registry

        Registry().add_commands(self)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "CALLSHEET"},
    epilog=EPILOG,
)
@click.version_option(__version__, "-V", "--version", prog_name="callsheet")
@click.option("-v", "--verbose", count=True, help="Say more on stderr; twice for everything.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what is wrong.")
@click.pass_context
def callsheet(ctx: click.Context, verbose: int, quiet: bool) -> None:
    """Declarative jobs for video localisation and campaigns: plan the price, run, never pay twice."""
    ctx.obj = {"verbose": verbose, "quiet": quiet}


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: one error boundary for everything."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run the command and give its exit code."""
    if not arguments:
        arguments = ["--help"]
    try:
        result: Any = callsheet.main(arguments, prog_name="callsheet", standalone_mode=False)
        with _forgiving():
            sys.stdout.flush()
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.Abort:
        return ExitCode.INTERRUPTED
    except click.ClickException as problem:
        problem.show(sys.stderr)
        return ExitCode.USAGE
    except SpecError as problem:
        from .diagnostics import show_problems

        show_problems(problem.diagnostics)
        return problem.exit_code
    except CallsheetError as problem:
        from .diagnostics import show_error

        show_error(problem)
        return problem.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as problem:
        from .crash import report

        report(problem, arguments)
        return ExitCode.BUG
    return int(result) if isinstance(result, int) else ExitCode.DONE
