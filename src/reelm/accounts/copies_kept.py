"""What was preserved for an order: a list, and opening a copy with the identity kept elsewhere."""

from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.models import SealedCopy
from reelm.accounts.preservation_key import read_identity
from reelm.accounts.sealed_file import decrypt_to
from reelm.foundation.errors import Conflict, Missing
from reelm.foundation.parts import Parts
from reelm.regions import orders


class KeptCopy(msgspec.Struct, frozen=True):
    """A preserved copy; `occasion` says whether it is as of the order or as of the erasure."""

    id: int
    order_id: int
    account_id: int
    occasion: str
    object: str
    size_bytes: int
    made_at: datetime


def preserved_copies(session: Session, order_id: int | None = None) -> list[KeptCopy]:
    """Return the preserved copies of one order or of all, the oldest first."""
    query = select(
        SealedCopy.id,
        SealedCopy.order_id,
        SealedCopy.subject_id,
        SealedCopy.occasion,
        SealedCopy.object,
        SealedCopy.size_bytes,
        SealedCopy.made_at,
    ).where(SealedCopy.purpose == "preserve")
    if order_id is not None:
        query = query.where(SealedCopy.order_id == order_id)
    return [KeptCopy(*row) for row in session.execute(query.order_by(SealedCopy.id))]


def open_preserved(
    parts: Parts, order_id: int, *, identity: Path, out: Path, copy_id: int | None = None
) -> KeptCopy:
    """Decrypt a preserved copy into the new file `out`, and log that it was opened.

    Args:
        parts: the open region.
        order_id: the order for which it was made.
        identity: file with the preservation identity.
        out: where to write the zip; only its owner can read it.
        copy_id: which copy, where the order has more than one.

    Raises:
        Missing: the order has no such copy.
        Conflict: it has several and none was chosen, or there is a file at `out`.
        Invalid: the identity is not one, or not that of the copy.
        Unavailable: the copy is damaged.
    """
    key = read_identity(identity)
    with parts.transaction() as session:
        orders.order(session, order_id)
        copy = _chosen(preserved_copies(session, order_id), copy_id)
        _log(session, copy)
    try:
        out.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise Conflict(f"There is a file {out} already; choose a new one.") from None
    try:
        with out.open("wb") as file:
            decrypt_to(file, parts.store.chunks(copy.object), key)
    except BaseException:
        out.unlink()
        raise
    return copy


def _chosen(copies: list[KeptCopy], copy_id: int | None) -> KeptCopy:
    found = [one for one in copies if copy_id is None or one.id == copy_id]
    if not found:
        raise Missing("Nothing like that is preserved for this order.")
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found[:20])
        raise Conflict(f"{len(found)} copies are preserved for this order; choose one of: {ids}.")
    return found[0]


def _log(session: Session, copy: KeptCopy) -> None:
    digest = copy.object.rpartition("/")[2]
    orders.record_about(session, copy.order_id, "accounts.preserved_opened", digest=digest)
