"""`wind_down`: everything in its order, from the journal on; cut off anywhere, it goes on there.

The order is such that a crash leaves less, never more, to get at: who could come in is shut out
first; then the keys go, which makes what is sealed in every other copy unreadable; then the rest.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import quote

import msgspec
from sqlalchemy import text

from reelm import accounts
from reelm.accounts import Canary
from reelm.accounts.preservation_key import IDENTITY
from reelm.foundation.errors import Conflict, Unavailable
from reelm.transfer.wind_down.copies import find_copies
from reelm.transfer.wind_down.database import answers, check_ended, end_access, owner_parts
from reelm.transfer.wind_down.end_copies import end_copies
from reelm.transfer.wind_down.journal import Journal, open_journal
from reelm.transfer.wind_down.keys import destroy_keys, note_keys
from reelm.transfer.wind_down.probes import (
    Found,
    note,
    plant_files,
    probe_access,
    probe_address,
    probe_copies,
    probe_serving_role,
    remove_files,
)
from reelm.transfer.wind_down.register import Declared, Register
from reelm.transfer.wind_down.site import Site, check_seller, leave_notice

# One address of a file that people watched.
_MEDIA = text("SELECT video_id, name FROM rendition ORDER BY video_id DESC LIMIT 1")
# What ends something: after one of these lines the probes are made anew.
CHANGES = ("destroyed", "key_destroyed", "access_ended", "found")


class Held(msgspec.Struct, frozen=True):
    """A copy that an order binds the seller itself to keep."""

    name: str
    basis: str
    until: str


class WoundDown(msgspec.Struct, frozen=True):
    """How far it is: `lacking` says what has to be done before it can be certified."""

    lacking: list[str]
    failed: list[str]
    held: list[str]

    @property
    def is_done(self) -> bool:
        """Whether all is accounted for and every probe found nothing."""
        return not self.lacking and not self.failed


def wind_down(
    site: Site, declared: Sequence[Declared] = (), holds: Sequence[Held] = ()
) -> WoundDown:
    """Destroy every copy that the seller has, probe that it is gone, and keep the journal of it.

    Raises:
        Conflict: the tenure has not ended here, or another sale was wound down in this home.
        Invalid: the home is not the seller's, or what was declared cannot be.
        Unavailable: a part does not work just now; do it again, and it goes on.
    """
    check_seller(site.home, site.sale)
    with open_journal(site.home) as journal:
        _begin(site, journal)
        _keep_what_is_preserved(site, journal, declared)
        leave_notice(site)
        register = Register(journal, site.sale.scope.seller.operator)
        for one in holds:
            register.hold(one.name, one.basis, one.until)
        _shut_out(site, journal, register)
        find_copies(site, journal, register)
        register.declare(declared)
        if not journal.has("keys_ended"):
            site.say("Destroying the keys.")
            destroy_keys(site, journal)
            journal.append("keys_ended")
        remove_files(site)
        end_copies(site, register)
        _probe_after(site, journal, register)
        return state_of(journal, register)


def state_of(journal: Journal, register: Register) -> WoundDown:
    """Return how far a wind-down is."""
    after = [line.facts for line in journal.of("probed") if line.facts["phase"] == "after"]
    last = {facts["name"]: facts for facts in after}
    return WoundDown(
        lacking=register.lacking(),
        failed=[
            f"{name}: {facts['found']}." for name, facts in last.items() if not facts["passed"]
        ],
        held=[copy.name for copy in register.copies() if copy.hold is not None],
    )


def _begin(site: Site, journal: Journal) -> None:
    facts = {
        "region": site.sale.scope.region,
        "scope_digest": site.sale.cutover.scope_digest,
        "closing_digest": site.sale.cutover.closing_digest,
        "cutover_digest": site.sale.cutover_digest,
        "seller_key": site.sale.cutover.seller_key,
    }
    begun = next(journal.of("begun"), None)
    if begun is None:
        with _owner(site) as owner:
            check_ended(owner, site.sale.cutover.from_epoch)
        journal.append("begun", **facts)
    elif begun.facts != facts:
        raise Conflict(
            "The wind-down that was begun in this home is of another sale than the documents in"
            f" {site.exchange}."
        )


def _keep_what_is_preserved(site: Site, journal: Journal, declared: Sequence[Declared]) -> None:
    """Refuse to destroy the only key to copies that orders preserve, and that the buyer has now."""
    is_handed_over = any(one.name == IDENTITY and one.outcome == "transferred" for one in declared)
    if journal.has("keys_ending") or is_handed_over or not (site.home.keys / IDENTITY).exists():
        return
    with _owner(site) as owner, owner_parts(site, owner) as parts, parts.transaction() as session:
        if not accounts.preserved_copies(session):
            return
    raise Conflict(
        f"Copies that orders preserve went along, and only keys/{IDENTITY} opens them. Hand that"
        f" file to the buyer, declare it as a copy named {IDENTITY} with the outcome transferred,"
        " and run this again. Nothing was destroyed."
    )


def _shut_out(site: Site, journal: Journal, register: Register) -> None:
    """Plant the canary, try everything while it is there, and then let nobody in any more."""
    if journal.has("keys_ending"):
        return
    with _owner(site) as owner:
        if not journal.has("access_ended"):
            canary = _planted(site, journal, owner)
            find_copies(site, journal, register)
            note_keys(site, journal)
            site.say("Trying what can be had before anything is destroyed.")
            _probe_before(site, journal, register, canary, owner)
            site.say("Ending sessions, credentials, staff access and the serving role.")
            journal.append("access_ended", method=end_access(owner))
        canary = _canary(journal)
        for found in probe_access(site, canary, owner):
            if found.name != "database":
                note(journal, "after", found, wants_open=False)
        role = probe_serving_role(site, owner, site.sale.cutover.from_epoch)
        note(journal, "after", role, wants_open=False)
    journal.append("keys_ending")


def _planted(site: Site, journal: Journal, owner: str) -> Canary:
    if not journal.has("canary"):
        with owner_parts(site, owner) as parts, parts.transaction() as session:
            planted = accounts.plant_canary(session, parts, secrets.token_hex(16))
            paths = [f"/media/{video}/{quote(name)}.mp4" for video, name in session.execute(_MEDIA)]
        journal.append("addresses", paths=["/api/me", "/api/me/uploads", *paths])
        journal.append("canary", **msgspec.to_builtins(planted))
    canary = _canary(journal)
    plant_files(site, canary)
    return canary


def _probe_before(
    site: Site, journal: Journal, register: Register, canary: Canary, owner: str
) -> None:
    found = [*probe_access(site, canary, owner), *probe_copies(site, register, canary)]
    blind = [one for one in found if not note(journal, "before", one, wants_open=True)]
    if blind:
        raise Unavailable(
            f"The probe {blind[0].name} does not find what is there ({blind[0].words}), so that it"
            " could show nothing afterwards. Nothing was destroyed."
        )


def _probe_after(site: Site, journal: Journal, register: Register) -> None:
    if not _has_changed(journal):
        return
    site.say("Trying what can be had now.")
    canary = _canary(journal)
    for one in (
        *_probe_access_after(site, canary),
        *probe_copies(site, register, canary),
        _probe_address(site, journal, canary),
    ):
        note(journal, "after", one, wants_open=False)


def _probe_access_after(site: Site, canary: Canary) -> list[Found]:
    if not answers(site):
        return list(probe_access(site, canary, None))
    if site.is_embedded:
        # Nobody starts it: its keys are gone, or are another's.
        return [Found("database", "looked for its folder", is_open=True, words="it is there")]
    with site.connect() as owner:
        return list(probe_access(site, canary, owner))


def _probe_address(site: Site, journal: Journal, canary: Canary) -> Found:
    return probe_address(site, canary, next(journal.of("addresses")).facts["paths"])


def _has_changed(journal: Journal) -> bool:
    """Whether anything ended, or turned up, since the last probe of all, that of the address."""
    probes = [line for line in journal.of("probed") if line.facts["name"] == "old-address"]
    last = probes[-1] if probes else None
    if last is None or not last.facts["passed"]:
        return True
    return any(line.number > last.number for line in journal.of(*CHANGES))


def _canary(journal: Journal) -> Canary:
    return msgspec.convert(next(journal.of("canary")).facts, Canary)


@contextmanager
def _owner(site: Site) -> Iterator[str]:
    # An embedded database that is not there would be made anew.
    if site.is_embedded and not (site.home.path / "postgres" / "PG_VERSION").exists():
        raise Unavailable(
            f"The database {site.home.path / 'postgres'} is not there, and no wind-down destroyed"
            " it: put it back, so that what is destroyed can be tried before."
        )
    with site.connect() as owner:
        yield owner
