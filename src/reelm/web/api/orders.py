"""The authorities' channel: who may order here, orders handed in, and what became of them."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from reelm import accounts, moderation, regions
from reelm.foundation.database import Session
from reelm.foundation.errors import Missing
from reelm.foundation.parts import Parts
from reelm.regions import orders
from reelm.web.viewer import Viewer

Digest = Annotated[
    str, Meta(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the signed payload, in hex.")
]


class AuthorityKey(msgspec.Struct, frozen=True):
    """A key that counts."""

    key_id: str
    public_key: str


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """A body that may order here, what, and how many of its keys have to sign."""

    id: str
    name: str
    country: str | None
    powers: list[str]
    threshold: int
    objections: str
    keys: list[AuthorityKey]


class Authorities(msgspec.Struct, frozen=True):
    """What an authority needs to know to write an order for this region."""

    region: str
    form: str
    payload_type: str
    authorities: list[Authority]


class OrderTaken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an order; `due_at` is null where nobody says by when."""

    id: str
    state: str
    received_at: datetime
    due_at: datetime | None
    in_force_at: datetime | None
    complied_at: datetime | None
    ended_at: datetime | None
    ending: str | None


def list_authorities(session: Session) -> Authorities:
    """List who may order here, with the keys that count and this region's name in orders."""
    found = [
        Authority(
            id=str(one.id),
            name=one.name,
            country=one.country,
            powers=one.powers,
            threshold=one.threshold,
            objections=one.objections,
            keys=[AuthorityKey(k.key_id, k.public_key) for k in one.keys if k.revoked_at is None],
        )
        for one in orders.authorities(session)
        if one.ended_at is None
    ]
    return Authorities(regions.region_id(session), orders.FORM, orders.PAYLOAD_TYPE, found)


def submit_order(session: Session, parts: Parts, viewer: Viewer, body: bytes) -> OrderTaken:
    """Hand in a signed order, as a DSSE envelope; it holds when this has answered."""
    # To refuse the largest envelope takes some milliseconds, and the few threads of the urgent
    # bound what a flood of them takes from everybody else.
    with accounts.counting_refused(parts, accounts.ORDER_ADDRESS, viewer.address):
        taken = moderation.submit_order(session, parts, body)
    return _told(session, taken.order_id)


def order_status(session: Session, document_digest: Digest) -> OrderTaken:
    """Say what became of an order; whoever has the document knows its digest."""
    order_id = orders.order_of_document(session, document_digest)
    if order_id is None:
        raise Missing("No order with this digest was taken in here.")
    return _told(session, order_id)


def _told(session: Session, order_id: int) -> OrderTaken:
    found = orders.order(session, order_id)
    return OrderTaken(
        id=str(found.id),
        state=found.state,
        received_at=found.received_at,
        due_at=found.due_at,
        in_force_at=found.in_force_at,
        complied_at=found.complied_at,
        ended_at=found.ended_at,
        ending=found.ending,
    )
