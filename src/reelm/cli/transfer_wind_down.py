"""`reelm transfer wind-down`, `certificate`, `sign-certificate`, ...: after the cutover."""

from pathlib import Path
from typing import Annotated

import typer

from reelm.cli.options import Region

Exchange = Annotated[
    Path, typer.Option(help="The folder of the sale, which both operators can reach.")
]
Certificate = Annotated[Path, typer.Argument(help="certificate.dsse in the exchange folder.")]
Scope = Annotated[Path, typer.Option(help="The scope's JSON.")]
Cutover = Annotated[Path, typer.Option(help="The cutover that both operators signed.")]


def wind_down(
    region: Region,
    exchange: Exchange,
    declared: Annotated[
        Path | None, typer.Option(help="Copies that the software cannot see (TOML).")
    ] = None,
    backup: Annotated[
        list[Path] | None, typer.Option(help="A backup that is not where it was made; repeatable.")
    ] = None,
    hold: Annotated[
        list[str] | None,
        typer.Option(help="objects/sealed-copies or logs: kept for an order; repeatable."),
    ] = None,
    basis: Annotated[
        list[str] | None, typer.Option(help="Whose order holds it; one for each --hold.")
    ] = None,
    until: Annotated[
        list[str] | None, typer.Option(help="Until when, as 2027-03-01; one for each --hold.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the region's name.")] = False,
) -> None:
    """At the seller, after the cutover: destroy every copy and key, and prove what can be.

    It can be cut off anywhere and run again. Exit status 1 while something is not accounted for.
    """
    from reelm.commands.transfer import wind_down as command

    held = command.holds(hold or [], basis or [], until or [])
    site = command.site_of(region, exchange, backup or [])
    raise typer.Exit(command.wind_down(site, declared, held, is_sure=yes))


def certificate(region: Region, exchange: Exchange) -> None:
    """At the seller: write the certificate of the wind-down, signed, and its journal."""
    from reelm.commands.transfer import wind_down as command

    command.certificate(region, exchange)


def sign_certificate(
    certificate: Certificate,
    scope: Scope,
    cutover: Cutover,
    key: Annotated[list[Path], typer.Option(help="Private key in PEM; may be repeated.")],
) -> None:
    """At the buyer's or an authority's desk: check a certificate, say what it claims, sign it.

    It needs no region and no database.
    """
    from reelm.commands.transfer import wind_down as command

    command.sign(certificate, scope, cutover, key)


def check_certificate(
    certificate: Certificate,
    scope: Scope,
    cutover: Cutover,
    authority_key: Annotated[
        list[str] | None,
        typer.Option(help="Public key of an authority that had to approve; repeatable."),
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="The seller's journal, to check it as well.")
    ] = None,
) -> None:
    """Verify a certificate with no region and no database; exit status 1 where it does not hold."""
    from reelm.commands.transfer import wind_down as command

    raise typer.Exit(command.check(certificate, scope, cutover, authority_key or [], journal))


def record_certificate(certificate: Certificate, region: Region) -> None:
    """At the buyer: keep the seller's certificate, and log its digest."""
    from reelm.commands.transfer import wind_down as command

    command.record(region, certificate)


def add_to(group: typer.Typer) -> None:
    """Add these commands to `reelm transfer`."""
    for command in (
        wind_down, certificate, sign_certificate, check_certificate, record_certificate,
    ):  # fmt: skip
        group.command(command.__name__.replace("_", "-"))(command)
