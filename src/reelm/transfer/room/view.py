"""Look into the data room: what lies there, and one document, whose digest is logged."""

import hashlib
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from reelm import audit
from reelm.foundation.errors import Missing
from reelm.foundation.parts import Parts
from reelm.transfer.room.documents import DOCUMENTS, Shown
from reelm.transfer.room.leave import VIEWED, enter


class Room(msgspec.Struct, frozen=True):
    """The data room as its holder of a token finds it."""

    room_id: int
    transfer_id: int
    scope_digest: str
    until: datetime


def room(session: Session, token: str) -> Room:
    """Return what a token opens.

    Raises:
        Unauthenticated, Gone, Forbidden: it opens nothing now; says why.
    """
    leave, transfer = enter(session, token)
    return Room(leave.id, transfer.id, transfer.scope_digest, leave.until)


def view(session: Session, parts: Parts, token: str, name: str) -> Shown:
    """Return a document, and log in this transaction that it was looked at.

    Raises:
        Unauthenticated, Gone, Forbidden: the token opens nothing now; says why.
        Missing: there is no such document.
        Unavailable: a program that has to be listed is not there.
    """
    leave, transfer = enter(session, token)
    document = DOCUMENTS.get(name)
    if document is None:
        raise Missing(f"The data room has no {name}; it has {', '.join(DOCUMENTS)}.")
    body = document.make(session, parts)
    digest = hashlib.sha256(body).hexdigest()
    audit.record(
        session,
        VIEWED,
        transfer_id=str(transfer.id),
        room_id=str(leave.id),
        document=name,
        digest=digest,
    )
    return Shown(name, body, digest)
