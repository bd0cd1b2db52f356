"""`reelm egress`: what holds this region's outbound traffic."""

from typing import Annotated

import typer

from reelm.cli.options import AsJson, Region

egress = typer.Typer(
    no_args_is_help=True, help="What holds outbound traffic: layers, and rules for the kernel."
)


@egress.command()
def layers(region: Region, as_json: AsJson = False) -> None:
    """Show which of the three layers hold in the running processes.

    a: a hook that turns mistakes in Python into clear errors. b: a filter of the kernel, without
    sockets to other hosts. c: rules outside of the processes, where database or store are remote.
    """
    from reelm.commands import egress as command

    command.print_layers(region, typer.echo, as_json=as_json)


@egress.command()
def rules(
    region: Region,
    user: Annotated[
        str,
        typer.Option(help="User that runs `reelm serve`; you, if not given.", show_default=False),
    ] = "",
    kind: Annotated[str, typer.Option("--for", help="nftables, systemd or both.")] = "both",
    resolve: Annotated[
        bool, typer.Option("--resolve", help="Look names in settings up now, by DNS.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print rules that allow exactly what the settings name: database and store, by address.

    Needed where these are on another machine: a filter inside the process does not see addresses.

      reelm egress rules --region region --user reelm --for nftables | nft -f -

    `reelm doctor` then tries whether a packet to an address that must fail is refused.
    """
    from reelm.commands import egress as command
    from reelm.foundation.errors import Invalid

    if kind not in ("nftables", "systemd", "both"):
        raise Invalid("--for takes nftables, systemd or both.")
    who = user or command.running_user()
    command.print_rules(region, who, kind, typer.echo, resolve=resolve, as_json=as_json)
