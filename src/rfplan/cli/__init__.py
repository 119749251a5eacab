"""The command line: the only place where words become objects.

Exit codes: 0 done; 1 something unexpected (a bug: the traceback is shown with ``RFPLAN_DEBUG=1``); 2 bad input, the
message on stderr; 3 the plan was made and written but is not verified or misses its target; 130 interrupted.

One file a group of commands; here they are put together. Nothing heavy is imported at module level anywhere in this
package: every ``--help`` must appear at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from rfplan.cli.benchmark import bench
from rfplan.cli.calibration import calibrate
from rfplan.cli.codes import BAD_INPUT, INTERRUPTED, OK, TARGET_MISSED, UNEXPECTED
from rfplan.cli.download import fetch
from rfplan.cli.links import link, models
from rfplan.cli.planning import plan, predict, validate

__all__ = ["BAD_INPUT", "INTERRUPTED", "OK", "TARGET_MISSED", "UNEXPECTED", "app", "main", "run"]

app = typer.Typer(
    name="rfplan",
    help="Radio network planning: where there is coverage, and which sites to build.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
# the order of the help
for _command in (plan, predict, validate, link, fetch, calibrate, bench, models):
    app.command()(_command)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = app(arguments, prog_name="rfplan", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", INTERRUPTED)
    except Exception as error:
        if hasattr(error, "format_message"):  # the command line's own complaint: unknown option, missing argument
            error.show()  # type: ignore[attr-defined]
            return BAD_INPUT
        if isinstance(error, ValueError) and _is_ours(error):
            return _fail(str(error), BAD_INPUT)
        if os.environ.get("RFPLAN_DEBUG"):
            raise
        return _fail(f"unexpected {type(error).__name__}: {error}\nset RFPLAN_DEBUG=1 for the traceback", UNEXPECTED)
    return _fail("interrupted", INTERRUPTED) if code == INTERRUPTED else int(code or OK)


def _is_ours(error: ValueError) -> bool:
    from rfplan.errors import RfplanError

    return isinstance(error, RfplanError)


def _fail(message: str, code: int) -> int:
    print(f"rfplan: {message}", file=sys.stderr)
    return code


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False) -> None:
    if version:
        import rfplan

        print(rfplan.__version__)
        raise typer.Exit
