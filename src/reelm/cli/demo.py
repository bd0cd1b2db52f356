"""`reelm demo`: a region full of made-up clips, and the sale of one."""

import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from reelm.cli.options import say

demo = typer.Typer(invoke_without_command=True)


@demo.callback()
def fill(
    context: typer.Context,
    path: Annotated[Path, typer.Option("--region", help="Folder of the demo's region.")] = Path(
        "demo-region"
    ),
    once: Annotated[
        bool, typer.Option("--once", help="Make it, try it over HTTP, print one line, stop.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port to serve on; 0 for any.")] = 8080,
    code: Annotated[
        bool, typer.Option("--code", help="Print the present code of demo_staff, and stop.")
    ] = False,
) -> None:
    """Make a region with plainly marked demo videos, serve it, and print how to sign in."""
    from reelm.commands import demo as command

    if context.invoked_subcommand is not None:
        return
    if code:
        from reelm.commands.demo_fill import code_of_staff

        typer.echo(code_of_staff(path))
        return
    raise typer.Exit(command.run(path, once=once, port=port))


@demo.command()
def sale(
    report: Annotated[Path, typer.Option(help="New folder for the report and every proof.")] = Path(
        "demo-sale"
    ),
    fast: Annotated[bool, typer.Option("--fast", help="Few people and videos.")] = False,
    licensed: Annotated[
        bool, typer.Option("--licensed", help="The ranking model may leave its country.")
    ] = False,
) -> None:
    """Sell a region: two made-up operators on this machine, from the proposal to the wind-down.

    Service with viewers, a ban, data room, approvals, a stay, rehearsal, freeze, cutover, the ban
    lifted, people back, the seller wound down. Each step is a command that it prints, and each
    claim of the report in DIR is computed from the files beside it:

      reelm demo sale --fast --report sale

      reelm transfer check sale

    Exit status 1 if a claim does not follow. Nothing is left on this machine but the report.
    """
    from reelm.commands import sale as command

    with commands() as run:
        raise typer.Exit(command.play(report, run, say, is_fast=fast, is_licensed=licensed))


@contextmanager
def commands() -> Iterator[Callable[[Sequence[str], Mapping[str, str]], tuple[int, str, str]]]:
    """Yield what runs commands, each in a process of its own.

    They are forked from one that has loaded the program: sixty that each load it take minutes.
    """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(["reelm.cli", "reelm.app", "reelm.commands.order_desk"])
    with ProcessPoolExecutor(1, mp_context=forking, max_tasks_per_child=1) as pool:
        yield lambda arguments, environment: pool.submit(
            _run, list(arguments), dict(environment)
        ).result()


def _run(arguments: list[str], environment: dict[str, str]) -> tuple[int, str, str]:
    """Run a command as its process would; return exit status, output and errors."""
    from reelm import cli

    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["reelm", *arguments]
    out, errors, status = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(errors):
        try:
            cli.main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1 if end.code else 0
    return status, out.getvalue(), errors.getvalue()
