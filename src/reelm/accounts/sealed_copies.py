"""Copies of accounts for legal orders: exported whole, encrypted while they stream, kept apart.

One to preserve is encrypted to the region's preservation key (preservation_key.py), one to disclose
to the authority's own. The region can write both and read neither. A copy is an object, and a row
of `sealed_copy` that is written after it; each step can be cut off and done again.

Who erases an account learns nothing of an order: erase.py holds rows and key back until each copy
that is due of the account has been made.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

import msgspec
import pyrage
from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.accounts.export import export_account
from reelm.accounts.keys import data_key
from reelm.accounts.models import Account, AccountKey, ErasedAccount, HeldErasure, SealedCopy
from reelm.accounts.preservation_key import preservation_recipient
from reelm.accounts.sealed_file import encrypt_to
from reelm.foundation.classes import DataClass, Erasure, Place, Residency, Transfer, declare
from reelm.foundation.clock import now
from reelm.foundation.errors import Invalid, Unavailable
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.foundation.storage import StoredObject
from reelm.foundation.workspace import workspace
from reelm.regions import orders, region_id

COPIES = declare(
    Place.OBJECTS,
    "sealed-copies",
    "accounts copied for legal orders, encrypted to keys that are not here; until the order ends",
    DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.KEEP),
)
# The row of a copy is written right after its object.
ORPHAN_AFTER = timedelta(hours=1)
# Time enough for an authority to say that a file did not arrive whole.
AFTER_COMPLIED = timedelta(days=30)
BATCH = 500

Occasion = Literal["order", "erasure"]


def make_copies(parts: Parts, order_id: int) -> None:
    """Copy each account that an order in force to preserve or disclose names, once."""
    with parts.transaction() as session:
        order = orders.order(session, order_id)
    if order.state != "in_force" or order.kind not in orders.DATA_KINDS:
        return
    for account_id in order.targets["accounts"]:
        make_copy(parts, order_id, int(account_id), "order")


def make_copy(parts: Parts, order_id: int, account_id: int, occasion: Occasion) -> None:
    """Copy one account for an order; what was copied before is not copied again.

    Raises:
        Unavailable: the account was erased meanwhile; try again.
    """
    with parts.transaction() as session:
        if session.scalar(select(exists().where(*_made(order_id, account_id, occasion)))):
            return
        order = orders.order(session, order_id)
        recipient = _recipient(session, parts, order)
        had_key = _has_key(session, account_id)
        notes = _notes(session, parts, order, account_id, occasion)
    with workspace(parts.home, "sealed") as folder:
        file = folder / "copy.age"
        encrypt_to(file, export_account(parts, account_id, notes), recipient)
        stored = parts.store.put_file(COPIES, file)
    with parts.transaction() as session:
        is_kept = orders.still_in_force(session, order_id)
        if is_kept:
            _refuse_cut_short(session, account_id, had_key=had_key)
            is_kept = _keep(session, order, account_id, occasion, stored)
    if not is_kept:
        parts.store.delete(stored.key)


def copies_due(session: Session, account_id: int) -> list[tuple[int, Occasion]]:
    """Return the order and occasion of each copy to be made before an account can be erased."""
    made = session.execute(
        select(SealedCopy.order_id, SealedCopy.occasion).where(SealedCopy.subject_id == account_id)
    )
    known = {(row.order_id, row.occasion) for row in made}
    due: list[tuple[int, Occasion]] = [
        (order_id, "erasure" if kind == "preserve" else "order")
        for order_id, kind in orders.data_orders_on(session, account_id)
    ]
    return [one for one in due if one not in known]


def orders_lacking_copies(session: Session) -> list[int]:
    """Return the orders in force of which an account has not been copied at all."""
    lacking = []
    for order_id in orders.data_orders_in_force(session):
        named = set(orders.order(session, order_id).targets["accounts"])
        copied = session.scalars(
            select(SealedCopy.subject_id).where(SealedCopy.order_id == order_id)
        )
        if named - {str(account_id) for account_id in copied}:
            lacking.append(order_id)
    return lacking


def outlived_orders(session: Session) -> list[int]:
    """Return the orders that are over and whose copies are still here."""
    having = session.scalars(select(SealedCopy.order_id).distinct()).all()
    return [one for one in having if _is_over(orders.order(session, one))]


def destroy_copies(parts: Parts, order_id: int) -> int:
    """Destroy all that was copied for an order that is over; return how many copies."""
    with parts.transaction() as session:
        if not _is_over(orders.order(session, order_id)):
            return 0
        keys = session.scalars(
            select(SealedCopy.object).where(SealedCopy.order_id == order_id)
        ).all()
    for key in keys:
        parts.store.delete(key)
    with parts.transaction() as session:
        session.execute(delete(SealedCopy).where(SealedCopy.order_id == order_id))
    return len(keys)


def sweep_copies(parts: Parts, orphan_after: timedelta = ORPHAN_AFTER) -> int:
    """Remove the copies that no row names: cut off before it was written."""
    moment, removed = now() - orphan_after, 0
    for batch in _batches(parts):
        with parts.transaction() as session:
            named = set(session.scalars(select(SealedCopy.object).where(_among(batch))))
        for one in batch:
            is_old = one.modified_at is not None and one.modified_at < moment
            if one.key not in named and is_old:
                parts.store.delete(one.key)
                removed += 1
    return removed


def _is_over(order: orders.ListedOrder) -> bool:
    """Whether an order has ended, or what it had disclosed was handed out long enough ago."""
    if order.state == "complied" and order.complied_at is not None:
        return order.complied_at < now() - AFTER_COMPLIED
    return order.state == "ended"


def _made(order_id: int, account_id: int, occasion: Occasion) -> tuple[ColumnElement[bool], ...]:
    # The copy as of the erasure stands for the one as of the order, too.
    good = ("order", "erasure") if occasion == "order" else ("erasure",)
    return (
        SealedCopy.order_id == order_id,
        SealedCopy.subject_id == account_id,
        SealedCopy.occasion.in_(good),
    )


def _recipient(
    session: Session, parts: Parts, order: orders.ListedOrder
) -> pyrage.x25519.Recipient:
    if order.kind == "preserve":
        return preservation_recipient(parts.home)
    text = orders.authority(session, order.authority_id).recipient
    if text is None:
        raise Invalid(f"The authority {order.authority} has no recipient to encrypt to.")
    return pyrage.x25519.Recipient.from_str(text)


def _has_key(session: Session, account_id: int) -> bool:
    return session.get(AccountKey, account_id, populate_existing=True) is not None


def _notes(
    session: Session, parts: Parts, order: orders.ListedOrder, account_id: int, occasion: Occasion
) -> dict[str, bytes]:
    """Return the files that say what a copy is, and what an erasure has emptied already."""
    about = {
        "region": region_id(session),
        "authority": order.authority,
        "reference": order.reference,
        "document_digest": order.document_digest,
        "kind": order.kind,
        "account_id": str(account_id),
        "copied_because_of": occasion,
        "copied_at": now(),
    }
    notes = {"order.json": msgspec.json.format(msgspec.json.encode(about))}
    held = session.get(HeldErasure, account_id)
    if held is not None:
        key = data_key(session, parts, account_id)
        notes["profile.json"] = key.open(HeldErasure.profile, held.profile).encode()
    elif not _has_key(session, account_id):
        notes["ERASED.txt"] = _erased(session, account_id).encode()
    return notes


def _erased(session: Session, account_id: int) -> str:
    tombstone = session.get(ErasedAccount, account_id)
    when = "" if tombstone is None else f" on {tombstone.erased_at:%Y-%m-%d at %H:%M} UTC"
    return (
        f"The account {account_id} was erased{when}, before it could be copied for this order.\n"
        "Its key was destroyed, so nobody can read what was sealed. What was left of it then is in"
        " this file.\n"
    )


def _refuse_cut_short(session: Session, account_id: int, *, had_key: bool) -> None:
    # An erasure takes this row FOR UPDATE when it destroys the key.
    row = select(Account.id).where(Account.id == account_id)
    session.execute(row.with_for_update(read=True, key_share=True))
    if had_key and not _has_key(session, account_id):
        raise Unavailable("The account was erased while it was copied.")


def _keep(
    session: Session,
    order: orders.ListedOrder,
    account_id: int,
    occasion: Occasion,
    stored: StoredObject,
) -> bool:
    row = insert(SealedCopy).values(
        id=new_id(),
        order_id=order.id,
        subject_id=account_id,
        purpose=order.kind,
        occasion=occasion,
        object=stored.key,
        size_bytes=stored.size_bytes,
        made_at=now(),
    )
    once = [SealedCopy.order_id, SealedCopy.subject_id, SealedCopy.occasion]
    first = row.on_conflict_do_nothing(index_elements=once).returning(SealedCopy.id)
    return session.execute(first).one_or_none() is not None


def _batches(parts: Parts) -> Iterator[list[StoredObject]]:
    batch: list[StoredObject] = []
    for one in parts.store.list(COPIES):
        batch.append(one)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def _among(batch: list[StoredObject]) -> ColumnElement[bool]:
    return SealedCopy.object.in_([one.key for one in batch])
