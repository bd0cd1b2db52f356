"""`reelm transfer wind-down` and its certificate: the seller's region, and desks that need none."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import typer

from reelm import app
from reelm.commands.order_desk import private_key
from reelm.foundation.config import load
from reelm.foundation.durable import write_whole
from reelm.foundation.envelope import read_public_key
from reelm.foundation.errors import Invalid
from reelm.foundation.home import Home
from reelm.foundation.storage import open_store
from reelm.foundation.strict_json import canonical
from reelm.proofs import certificate as form
from reelm.proofs import journal as chain
from reelm.proofs.certified import claims, verify_certificate
from reelm.proofs.sale import digest_of, read_scope
from reelm.transfer import wind_down as room
from reelm.transfer.current import transfers


def site_of(region: Path, exchange: Path, backups: Sequence[Path]) -> room.Site:
    """Return the seller's side as it is on this machine."""
    home, settings = Home(region.resolve()), load(region.resolve())

    def connect() -> AbstractContextManager[str]:
        return app.owner_connection(home, settings, _say)

    return room.Site(
        home=home,
        settings=settings,
        store=open_store(settings.storage, home),
        connect=connect,
        exchange=exchange.resolve(),
        sale=room.read_sale(exchange),
        backups=backups,
        say=_say,
    )


def holds(names: Sequence[str], bases: Sequence[str], dates: Sequence[str]) -> list[room.Held]:
    """Return the copies that the options say are held.

    Raises:
        Invalid: one lacks its basis or its date.
    """
    if not len(names) == len(bases) == len(dates):
        raise Invalid("Each --hold needs a --basis and an --until of its own, in the same order.")
    return [room.Held(*one) for one in zip(names, bases, dates, strict=True)]


def wind_down(
    site: room.Site, declared: Path | None, held: Sequence[room.Held], *, is_sure: bool
) -> int:
    """Destroy what the seller has, after asking; return 1 while something is not accounted for."""
    room.check_seller(site.home, site.sale)
    told = [] if declared is None else room.read_declared(declared)
    if not is_sure:
        _ask(site)
    state = room.wind_down(site, told, held)
    for title, sentences in (
        ("Held by law", state.held),
        ("Not accounted for", state.lacking),
        ("Found by a probe", state.failed),
    ):
        if sentences:
            typer.echo(f"{title}:")
        for sentence in sentences:
            typer.echo(f"  - {sentence}")
    if state.is_done:
        typer.echo("The seller is wound down. Next: `reelm transfer certificate`.")
    return 0 if state.is_done else 1


def _ask(site: room.Site) -> None:
    name, scope = site.settings.region.name, site.sale.scope
    typer.echo(
        f"This destroys the region {name!r} at {site.home.path} for ever: keys, database, objects,"
        f" backups. {scope.buyer.operator} has it since {site.sale.cutover.ended_at}."
    )
    if typer.prompt("Type the region's name to go on") != name:
        raise Invalid("That is not the region's name. Nothing was destroyed.")


def certificate(region: Path, exchange: Path) -> None:
    """Write the certificate and the journal into the exchange folder."""
    path = room.write_certificate(Home(region.resolve()), room.read_sale(exchange), exchange)
    stated, _ = form.opened(path.read_bytes())
    typer.echo(f"{path}\n  {digest_of(canonical(stated))}")
    typer.echo("Signed by the seller. Next: buyer and authority run `transfer sign-certificate`.")


def sign(certificate: Path, scope: Path, cutover: Path, keys: Sequence[Path]) -> None:
    """Print what a certificate claims, and add these keys' signatures to its file."""
    known = read_scope(scope.read_bytes())
    private = [private_key(path) for path in keys]
    text = room.cosign(certificate.read_bytes(), known, cutover.read_bytes(), private)
    for sentence in claims(form.opened(text)[0], known):
        typer.echo(f"  - {sentence}")
    write_whole(certificate, text)
    typer.echo(f"Signed: {certificate}")


def check(
    certificate: Path,
    scope: Path,
    cutover: Path,
    authority_keys: Sequence[str],
    journal: Path | None,
) -> int:
    """Verify a certificate; return 1 with the reason where it does not hold."""
    try:
        keys = [read_public_key(key) for key in authority_keys]
        text = certificate.read_bytes()
        known = read_scope(scope.read_bytes())
        told = verify_certificate(text, known, cutover.read_bytes(), keys)
        if journal is not None:
            chain.check_head(journal.read_bytes(), form.opened(text)[0].journal)
    except Invalid as error:
        typer.echo(error.sentence, err=True)
        return 1
    for sentence in told:
        typer.echo(f"  - {sentence}")
    typer.echo(
        "The certificate holds: seller, buyer and every authority that had to approve signed it."
    )
    if journal is None:
        typer.echo("The journal was not checked: name it with --journal.")
    return 0


def record(region: Path, certificate: Path) -> None:
    """Keep the certificate in the buyer's region, and log its digest."""
    with app.open_region(region, on_wait=_say) as parts, parts.transaction() as session:
        told = form.opened(certificate.read_bytes())[0].scope_digest
        found = [one for one in transfers(session) if one.scope_digest == told]
        if not found:
            raise Invalid("The certificate is of a sale that this region does not know.")
        digest = room.record_certificate(session, found[0], certificate.read_bytes())
    typer.echo(f"The wind-down is recorded: {digest}")


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)
