"""The region's public facts, and where faults of security are reported."""

from datetime import datetime, timedelta
from typing import Literal

import msgspec
from starlette.responses import Response

from reelm import accounts, audit, regions, transfer
from reelm.feed.live import LiveFeed
from reelm.foundation.clock import now
from reelm.foundation.config import Settings
from reelm.foundation.database import Session
from reelm.foundation.egress.named import peers
from reelm.foundation.egress.outside import needs_rules
from reelm.foundation.errors import Missing
from reelm.foundation.parts import Parts
from reelm.regions import RegionFacts, region_facts
from reelm.regions.contacts import Contacts, contacts
from reelm.regions.egress import Layer, active_layers
from reelm.web.api.region_model import ModelAfterSale, model_after_sale
from reelm.web.api.transfers import ToldTransfer, tell_open
from reelm.web.technology import Technology, technology

SECURITY_TXT = "/.well-known/security.txt"
NO_CONTACT = "This region names no contact for faults of security (contacts.security)."
# RFC 9116, 2.5.5: less than a year is recommended. It rolls: each answer is that far from its end.
EXPIRES_AFTER = timedelta(days=180)
LINKS = {
    "audit_log": "/audit",
    "transparency": "/transparency",
    "transfer": "/transfer",
    "terms": "/terms",
    "privacy": "/privacy",
    "security": SECURITY_TXT,
}
MOST_TOLD = 100
Place = Literal["this machine", "another machine"]


class InCharge(msgspec.Struct, frozen=True):
    """The operator's tenure: its number, since when, and the operator's Ed25519 public key."""

    epoch: int
    operator: str
    since: datetime
    public_key: str


class DataPlaces(msgspec.Struct, frozen=True):
    """Where data lies, as kinds: no address, path or credential is told.

    `country` is what the operator states; empty where it states none.
    """

    country: str
    database: Literal["embedded", "own server"]
    database_on: Place
    store: Literal["folder", "bucket"]
    store_on: Place


class ToldOrder(msgspec.Struct, frozen=True):
    """An order in force, without those that are confidential."""

    authority: str
    reference: str
    kind: str
    category: str
    basis: str
    since: datetime | None
    lapses_at: datetime | None
    is_interim: bool
    countries: list[str] | None
    videos: int
    accounts: int


class HandedOver(msgspec.Struct, frozen=True):
    """For 90 days after a sale: whose it was, who runs it, where the data lies, since when."""

    transfer_id: str
    seller: str
    buyer: str
    data_country: str
    since: datetime


class FormerAccess(msgspec.Struct, frozen=True):
    """What somebody of the former operator may do here, until when, and why."""

    operator: str
    role: str
    powers: list[str]
    reason: str
    since: datetime
    until: datetime


class LastCheckpoint(msgspec.Struct, frozen=True):
    """The newest checkpoint of the audit log."""

    size: int
    root: str
    signed_at: datetime
    cosigned_by: list[str]


class PublicRegion(RegionFacts, frozen=True):
    """All that anyone may know of the region."""

    region_id: str
    in_charge: InCharge
    data: DataPlaces
    technology: Technology
    egress: list[Layer]
    orders: list[ToldOrder]
    orders_in_force: int
    transfer: ToldTransfer | None
    model: ModelAfterSale | None
    handed_over: HandedOver | None
    former_access: list[FormerAccess]
    checkpoint: LastCheckpoint | None
    contacts: Contacts
    links: dict[str, str]


def read_region(session: Session, parts: Parts, live: LiveFeed) -> PublicRegion:
    """Read who runs this region, where, with what, under which rules and with which limits."""
    facts = region_facts(parts.settings)
    orders = regions.orders.orders_in_force(session)
    told = {name: getattr(facts, name) for name in RegionFacts.__struct_fields__}
    return PublicRegion(
        **told,
        region_id=regions.region_id(session),
        in_charge=_in_charge(session),
        data=_places(parts.settings),
        technology=technology(session, parts.settings),
        egress=active_layers(parts.home.path, parts.settings),
        orders=[_told(order) for order in orders[:MOST_TOLD]],
        orders_in_force=len(orders),
        transfer=tell_open(session),
        model=model_after_sale(session, live),
        handed_over=_handed_over(session),
        former_access=_former_access(session),
        checkpoint=_checkpoint(session),
        contacts=contacts(parts.settings),
        links=LINKS,
    )


def security_txt(parts: Parts) -> Response:
    """Tell where faults of security are reported (RFC 9116).

    Raises:
        Missing: no contact is set; a file without one would be none by the RFC.
    """
    told = parts.settings.contacts
    if not told.security:
        raise Missing(NO_CONTACT)
    expires = (now() + EXPIRES_AFTER).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [f"Contact: {address}" for address in told.security]
    lines.append(f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}")
    public = parts.settings.http.public_url.rstrip("/")
    if public.startswith("https://"):
        lines.append(f"Canonical: {public}{SECURITY_TXT}")
    if told.languages:
        lines.append(f"Preferred-Languages: {', '.join(told.languages)}")
    return Response("\n".join(lines) + "\n", media_type="text/plain; charset=utf-8")


def _in_charge(session: Session) -> InCharge:
    tenure = regions.current_tenure(session)
    return InCharge(tenure.epoch, tenure.operator, tenure.began_at, tenure.public_key)


def _handed_over(session: Session) -> HandedOver | None:
    told = transfer.news(session)
    if told is None or told.what != "cutover":
        return None
    return HandedOver(str(told.transfer_id), told.seller, told.buyer, told.country, told.at)


def _former_access(session: Session) -> list[FormerAccess]:
    return [
        FormerAccess(
            one.operator,
            one.role,
            sorted(accounts.powers_of(one.role)),
            one.reason,
            one.made_at,
            one.until,
        )
        for one in transfer.live_grants(session)
    ]


def _places(settings: Settings) -> DataPlaces:
    found = peers(settings)
    database = [peer for peer in found if peer.setting.startswith("database.")]
    store = [peer for peer in found if peer.setting.startswith("storage.")]
    return DataPlaces(
        country=settings.region.data_country,
        database="own server" if settings.database.url else "embedded",
        database_on="another machine" if needs_rules(database) else "this machine",
        store="bucket" if settings.storage.url else "folder",
        store_on="another machine" if needs_rules(store) else "this machine",
    )


def _told(order: regions.orders.ListedOrder) -> ToldOrder:
    return ToldOrder(
        order.authority,
        order.reference,
        order.kind,
        order.category,
        order.basis,
        order.in_force_at,
        order.lapses_at,
        order.is_interim,
        order.countries,
        len(order.targets.get("videos", [])),
        len(order.targets.get("accounts", [])),
    )


def _checkpoint(session: Session) -> LastCheckpoint | None:
    for one in audit.checkpoints(session, limit=1):
        witnesses = sorted({by.witness for by in one.cosignatures})
        return LastCheckpoint(one.size, one.root, one.signed_at, witnesses)
    return None
