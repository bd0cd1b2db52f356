"""`reelm prove`: shows of what a region promises; each can fail."""

from pathlib import Path
from typing import Annotated

import typer

from reelm.cli.options import AsJson, say

prove = typer.Typer(
    no_args_is_help=True,
    help="Show what a region promises, on the real program, with leaks planted to be found.",
)


@prove.command()
def residency(
    leak: Annotated[
        list[str],
        typer.Option(help="Plant a real leak: web, worker, ffmpeg or dns.", show_default=False),
    ] = [],  # noqa: B006 - typer's way to take it more than once
    pcap: Annotated[
        Path | None, typer.Option(help="Write every packet seen to this file (pcap).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run two regions through sign-up, upload, encode, feed, order, export; 1 if a packet left.

    Each region is served by `reelm serve` in a network of its own. Default routes of IPv4 and IPv6
    and the resolver lead to a witness that reads every packet, so none seen means that none was
    sent. A check before and after shows that the witness sees.

    With --leak a real leak is planted in both regions: region a keeps its layers, and refuses it;
    in region b the process of the leak is without them, so the witness has to catch it, and the
    exit status is 1.

      reelm prove residency
      reelm prove residency --leak ffmpeg --pcap leak.pcap

    Needs Linux with namespaces and /dev/net/tun, as root or as a user who may make user
    namespaces; where it cannot run it says so and ends with status 2.
    """
    from reelm.commands.prove import residency as command
    from reelm.commands.prove.planted import LEAKS
    from reelm.foundation.errors import Invalid

    if not set(leak) <= set(LEAKS):
        raise Invalid(f"--leak takes one of {', '.join(LEAKS)}.")
    raise typer.Exit(command.prove(leak, pcap, say, as_json=as_json))


@prove.command()
def canaries(
    leak: Annotated[
        list[str],
        typer.Option(help="Plant a real leak: logs, metrics, jobs or files.", show_default=False),
    ] = [],  # noqa: B006 - typer's way to take it more than once
    as_json: AsJson = False,
) -> None:
    """Put a token into every personal field, and look for all of them where none may be.

    The fields are those that the declared data classes name; people's way is taken where the
    product has one, and the rest is written directly. Swept are: another region's folder, what
    `reelm serve` printed, /metrics, answers to provoked errors, job arguments, the region home
    after a crash of web and worker, and for sealed fields the database's own files and WAL.

    With --leak one token is brought to such a place on purpose, and the exit status is 1.

      reelm prove canaries
      reelm prove canaries --leak metrics
    """
    from reelm.commands.prove import canaries as command
    from reelm.foundation.errors import Invalid

    if not set(leak) <= set(command.LEAKS):
        raise Invalid(f"--leak takes one of {', '.join(command.LEAKS)}.")
    raise typer.Exit(command.prove(leak, say, as_json=as_json))
