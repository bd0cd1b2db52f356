"""What has changed since a sale was proposed, so that its scope is no longer what would be sold."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from reelm import audit, regions
from reelm.foundation.database import Base
from reelm.proofs import sale
from reelm.transfer.current import KnownTransfer
from reelm.transfer.scope import data_items, schema

_ANEW = "abort the sale and propose it anew"


def changes(session: Session, transfer: KnownTransfer) -> list[str]:
    """Return in a sentence each what differs from the scope; a new scope is another sale."""
    return [
        *_operator(session, transfer),
        *_software(session, transfer),
        *_data(transfer),
        *_authorities(session, transfer),
    ]


def _operator(session: Session, transfer: KnownTransfer) -> Iterator[str]:
    seller, tenure = transfer.scope.seller, regions.current_tenure(session)
    if (seller.epoch, seller.public_key) != (tenure.epoch, tenure.public_key):
        yield "The seller of the scope is not the operator in charge."


def _software(session: Session, transfer: KnownTransfer) -> Iterator[str]:
    scope, now = transfer.scope, schema(session)
    if scope.schema != now:
        yield f"The database has schema {now}, and the scope is of {scope.schema}: {_ANEW}."
    if scope.release != audit.code_digest():
        yield f"Another release runs than the scope names: run that one again, or {_ANEW}."


def _data(transfer: KnownTransfer) -> Iterator[str]:
    then = {(one.place, one.name): one for one in transfer.scope.data}
    now = {(one.place, one.name): one for one in data_items(Base.metadata)}
    for place, name in sorted(now.keys() | then.keys()):
        known, declared = then.get((place, name)), now.get((place, name))
        if known is None:
            yield f"The {place} {name} is not in the scope: {_ANEW}."
        elif declared is None:
            yield f"The scope names the {place} {name}, which is not there: {_ANEW}."
        elif known != declared:
            yield f"What becomes of the {place} {name} is not what the scope says: {_ANEW}."


def _authorities(session: Session, transfer: KnownTransfer) -> Iterator[str]:
    """Name those who were registered since the proposal and would have to agree."""
    asked = {one.authority for one in transfer.scope.approvals}
    origins = {
        one.origin
        for one in transfer.scope.technology
        if one.export_controlled and one.disposition in sale.GOES_ALONG
    }
    for one in regions.orders.authorities(session):
        licenses = "license_technology" in one.powers and one.country in origins
        may_say = "approve_transfer" in one.powers or licenses
        is_new = one.ended_at is None and one.added_at > transfer.proposed_at
        if may_say and is_new and str(one.id) not in asked:
            yield f"{one.name} was registered after the proposal, and may have a say: {_ANEW}."
