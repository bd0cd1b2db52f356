"""Tenures: which operator is in charge of the region, and since when."""

import hashlib
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm import audit
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Departed, Missing
from reelm.regions.models import Tenure


class CurrentTenure(msgspec.Struct, frozen=True):
    """The operator in charge; `epoch` fences writes."""

    epoch: int
    operator: str
    public_key: str
    began_at: datetime


def begin_first_tenure(session: Session, *, operator: str, public_key: str) -> None:
    """Put the region's first operator in charge; `public_key` is 64 hex digits.

    Raises:
        Conflict: the region has had an operator before.
    """
    if has_tenure(session):
        raise Conflict("This region has an operator: another takes over by a transfer.")
    begin_tenure(session, epoch=1, operator=operator, public_key=public_key)


def end_tenure(session: Session, epoch: int) -> None:
    """End the tenure of an epoch, as the cutover says.

    Raises:
        Conflict: it is not the one without an end.
    """
    if current_tenure(session).epoch != epoch:
        raise Conflict(f"The tenure of epoch {epoch} is not the one that goes on.")
    session.get_one(Tenure, epoch).ended_at = now()
    session.flush()


def begin_tenure(session: Session, *, epoch: int, operator: str, public_key: str) -> None:
    """Put the operator that takes over in charge; the tenure before it has ended."""
    session.add(Tenure(epoch=epoch, operator=operator, public_key=public_key, began_at=now()))
    audit.record(session, "regions.tenure_begun", epoch=epoch, public_key=public_key)
    session.flush()


def ensure_tenure(session: Session, operator: str, public_key: str) -> int:
    """Begin the first tenure where there is none, and return the active epoch.

    Raises:
        Departed: the region has gone to another operator.
        Conflict: it has not come to this one yet.
    """
    if not has_tenure(session):
        begin_first_tenure(session, operator=operator, public_key=public_key)
    try:
        tenure = current_tenure(session)
    except Missing:
        raise Departed(
            "This region has gone to another operator, who serves it now: `reelm transfer cutover`"
            " once more lets this address say so."
        ) from None
    if tenure.public_key != public_key:
        raise Conflict(
            f"{tenure.operator} is in charge of this region, and not the key of this home: it"
            " changes hands with `reelm transfer cutover`."
        )
    return tenure.epoch


def has_tenure(session: Session) -> bool:
    """Whether any operator is or was in charge here."""
    return session.scalar(select(Tenure.epoch).limit(1)) is not None


def current_tenure(session: Session) -> CurrentTenure:
    """Return the tenure that has no end.

    Raises:
        Missing: the region has no operator yet.
    """
    row = session.execute(
        select(Tenure.epoch, Tenure.operator, Tenure.public_key, Tenure.began_at)
        .where(Tenure.ended_at.is_(None))
        .order_by(Tenure.epoch.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise Missing("This region has no operator yet.")
    return CurrentTenure(*row)


def region_id(session: Session) -> str:
    """Return the region's name in signed statements, 32 hex digits; it outlives its operators.

    It is the first half of the SHA-256 of the first operator's public key.

    Raises:
        Missing: the region has no operator yet.
    """
    return hashlib.sha256(bytes.fromhex(first_key(session))).hexdigest()[:32]


def first_key(session: Session) -> str:
    """Return the first operator's public key, in hex, from which the region's name follows.

    Raises:
        Missing: the region has no operator yet.
    """
    first = session.scalar(select(Tenure.public_key).order_by(Tenure.epoch).limit(1))
    if first is None:
        raise Missing("This region has no operator yet.")
    return first
