"""What the ranker's newest snapshot was trained on: the manifest of the model as an asset."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm import audit
from reelm.feed.log.snapshots import newest
from reelm.feed.models import RankerSnapshot


class TrainedModel(msgspec.Struct, frozen=True):
    """The model, and its training manifest.

    Args:
        digest: SHA-256 of the snapshot's file.
        made_at: when it was stored.
        release: version of the release that stored it.
        first_seq: number of the first signal of the region's log that can be in it; None where
            nothing has been learned.
        first_at: when that signal was.
        last_seq: number of the last one in it.
        last_at: when that was.
        code_digests: of the code that ran in that time, the first to run first, as the audit log
            names it with each release.
    """

    digest: str
    made_at: datetime
    release: str
    first_seq: int | None
    first_at: datetime | None
    last_seq: int
    last_at: datetime | None
    code_digests: list[str]


def trained_model(session: Session) -> TrainedModel | None:
    """Return the newest model with its training manifest, or None where none is stored."""
    snapshot = newest(session)
    if snapshot is None:
        return None
    row = session.scalars(select(RankerSnapshot).where(RankerSnapshot.id == snapshot.id)).one()
    return TrainedModel(
        row.digest,
        row.made_at,
        row.release,
        row.first_seq,
        row.first_at,
        row.seq,
        row.last_at,
        _code(session, row.first_at or row.made_at, row.made_at),
    )


def _code(session: Session, begin: datetime, end: datetime) -> list[str]:
    """Return the digests of the code that ran from `begin` to `end`, each once."""
    ran: list[str] = []
    for entry in audit.entries_of(session, "region.release"):
        if entry.at > end:
            break
        if entry.at <= begin:
            ran = []  # replaced before anything was learned
        digest = str(entry.body["digest"])
        if digest not in ran:
            ran.append(digest)
    return ran
