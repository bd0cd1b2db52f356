"""Disclosures: staff hand out what was encrypted to an authority, and cannot read it."""

from datetime import datetime

import msgspec
from starlette.responses import StreamingResponse

from reelm import accounts
from reelm.accounts import Reader
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts


class DisclosurePackage(msgspec.Struct, frozen=True, kw_only=True):
    """The encrypted copy of one account; `released_at` is when it was first handed out."""

    account_id: str
    size_bytes: int
    sha256: str
    made_at: datetime
    released_at: datetime | None
    released_by: str | None


class OrderDisclosure(msgspec.Struct, frozen=True, kw_only=True):
    """What an order to disclose has to be handed out; `awaited` names what is still being made."""

    order_id: str
    authority: str
    reference: str
    state: str
    due_at: datetime | None
    complied_at: datetime | None
    packages: list[DisclosurePackage]
    awaited: list[str]


def disclosure(session: Session, reader: Reader, order_id: int) -> OrderDisclosure:
    """List the packages of an order to disclose, one for each account; the reading is logged."""
    return shown(accounts.open_disclosure(session, order_id, reader))


def shown(found: accounts.Disclosure) -> OrderDisclosure:
    """Return the packages of an order in the shape of the API."""
    return OrderDisclosure(
        order_id=str(found.order.id),
        authority=found.order.authority,
        reference=found.order.reference,
        state=found.order.state,
        due_at=found.order.due_at,
        complied_at=found.order.complied_at,
        packages=[_package(one) for one in found.packages],
        awaited=[str(account_id) for account_id in found.awaited],
    )


def release(
    session: Session, parts: Parts, reader: Reader, order_id: int, account_id: int
) -> StreamingResponse:
    """Hand out the package of one account, encrypted; with the last one the order is complied with.

    It can be asked for again while it is there; each time is logged as a read by staff.
    """
    package = accounts.release_disclosure(session, order_id, account_id, reader)
    name = f"order-{order_id}-account-{account_id}.zip.age"
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "content-length": str(package.size_bytes),
        "cache-control": "no-store",
    }
    return StreamingResponse(
        parts.store.chunks(package.object),
        media_type="application/octet-stream",
        headers=headers,
    )


def _package(one: accounts.Package) -> DisclosurePackage:
    return DisclosurePackage(
        account_id=str(one.account_id),
        size_bytes=one.size_bytes,
        sha256=one.sha256,
        made_at=one.made_at,
        released_at=one.released_at,
        released_by=None if one.released_by is None else str(one.released_by),
    )
