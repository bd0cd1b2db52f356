"""Snapshots of the ranker's state in the object store, and the rows that name them.

The two newest are kept: should one turn out damaged, the one before is loaded and more of the log
replayed. An object lies in the store before its row, and goes after it.
"""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from reelm import __version__, audit
from reelm.feed.log.state_file import read_state, write_state
from reelm.feed.models import RankerSnapshot, SignalRow
from reelm.feed.ranker import State
from reelm.foundation.classes import DataClass, Erasure, Place, Residency, Transfer, declare
from reelm.foundation.clock import now
from reelm.foundation.database import fence
from reelm.foundation.errors import Invalid, ReelmError
from reelm.foundation.ids import new_id
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts
from reelm.foundation.workspace import workspace

log = logging.getLogger(__name__)
UNUSABLE = Line("the ranker's snapshot at {seq} cannot be used: {error}")

KIND = declare(
    Place.OBJECTS,
    "snapshots",
    "the ranker's state: what it learned, and what it knows of each viewer",
    DataClass(
        Residency.REGION,
        Transfer.REBUILD,
        Erasure.EXPIRE,
        "A model is a technology asset of its own. Stored anew when somebody is forgotten.",
    ),
)
KEPT = 2
LOGGED = "feed.model_snapshot"
# An object without a row is on its way to one for minutes at most.
ORPHAN_AFTER = timedelta(hours=1)


class Snapshot(NamedTuple):
    """A snapshot that a row names; `seq` is the last signal that it includes."""

    id: int
    seq: int
    object: str
    digest: str
    made_at: datetime


def save(parts: Parts, state: State, seq: int) -> Snapshot:
    """Store a state that includes the log up to `seq`, and remove what is older than the kept."""
    with workspace(parts.home, "snapshot") as folder:
        path = folder / "state"
        with path.open("wb") as file:
            write_state(file, state)
        stored = parts.store.put_file(KIND, path)
    snapshot = Snapshot(new_id(), seq, stored.key, stored.sha256, now())
    with parts.transaction() as session:
        trained = learned(session, seq)
        session.add(RankerSnapshot(**snapshot._asdict(), **trained, release=__version__))
        _log_daily(session, snapshot)
    forget(parts, snapshots(parts)[KEPT:])
    return snapshot


def learned(session: Session, seq: int) -> dict[str, int | datetime | None]:
    """Return `first_seq`, `first_at` and `last_at` of what a state up to `seq` can have learned.

    A state goes on from the one stored before, so what that one learned from is in it, too: also
    the days of the log that were dropped meanwhile. One that was made anew from the log is said
    to have learned from more than it has, never from less.
    """
    signals = select(SignalRow.seq, SignalRow.at).where(SignalRow.seq <= seq)
    first = session.execute(signals.order_by(SignalRow.seq).limit(1)).one_or_none()
    last = session.execute(signals.order_by(SignalRow.seq.desc()).limit(1)).one_or_none()
    before = session.execute(
        select(RankerSnapshot.first_seq, RankerSnapshot.first_at)
        .where(RankerSnapshot.first_seq.is_not(None))
        .order_by(RankerSnapshot.first_seq)
        .limit(1)
    ).one_or_none()
    begun = [(row[0], row[1]) for row in (first, before) if row is not None]
    first_seq, first_at = min(begun, default=(None, None))
    return {
        "first_seq": first_seq,
        "first_at": first_at,
        "last_at": None if last is None else last.at,
    }


def _log_daily(session: Session, snapshot: Snapshot) -> None:
    """Write a snapshot's digest to the audit log, where none of this day and release is there."""
    last = audit.newest_entry(session, LOGGED)
    is_told = last is not None and last.at.date() == snapshot.made_at.date()
    is_due = last is None or not is_told or last.body["release"] != __version__
    # In a freeze an entry would have the region sealed again: the next snapshot after it tells.
    if is_due and not fence.is_closed(session):
        audit.record(
            session,
            "feed.model_snapshot",
            seq=snapshot.seq,
            digest=snapshot.digest,
            release=__version__,
        )


def snapshots(parts: Parts) -> list[Snapshot]:
    """Return all snapshots, the newest first."""
    table = RankerSnapshot
    query = select(table.id, table.seq, table.object, table.digest, table.made_at)
    with parts.transaction() as session:
        rows = session.execute(query.order_by(table.id.desc())).all()
    return [Snapshot(*row) for row in rows]


def newest(session: Session) -> Snapshot | None:
    """Return the newest snapshot, or None where there is none yet."""
    table = RankerSnapshot
    query = select(table.id, table.seq, table.object, table.digest, table.made_at)
    row = session.execute(query.order_by(table.id.desc()).limit(1)).one_or_none()
    return None if row is None else Snapshot(*row)


def load(parts: Parts, snapshot: Snapshot) -> State:
    """Return the state of a snapshot.

    Raises:
        Missing: its object is not in the store.
        Invalid: it is not what was stored.
    """
    with workspace(parts.home, "snapshot") as folder:
        path = folder / "state"
        parts.store.fetch(snapshot.object, path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != snapshot.digest:
                raise Invalid("The snapshot holds other bytes than were written.")
            file.seek(0)
            return read_state(file)


def forget(parts: Parts, gone: Sequence[Snapshot]) -> None:
    """Remove snapshots: first the rows, then the objects that no other row names."""
    if not gone:
        return
    with parts.transaction() as session:
        ids = [snapshot.id for snapshot in gone]
        session.execute(delete(RankerSnapshot).where(RankerSnapshot.id.in_(ids)))
    named = {snapshot.object for snapshot in snapshots(parts)}
    for snapshot in gone:
        if snapshot.object not in named:
            parts.store.delete(snapshot.object)


def remove_orphans(parts: Parts, after: timedelta = ORPHAN_AFTER) -> int:
    """Remove objects that a process stored which ended before it wrote the row."""
    stored = [
        one for one in parts.store.list(KIND) if one.modified_at and one.modified_at < now() - after
    ]
    named = {snapshot.object for snapshot in snapshots(parts)}
    orphans = [one.key for one in stored if one.key not in named]
    for key in orphans:
        parts.store.delete(key)
    return len(orphans)


def loadable(parts: Parts) -> Iterator[tuple[Snapshot, State]]:
    """Yield the snapshots that are whole, the newest first; say of the others what is wrong."""
    for snapshot in snapshots(parts):
        try:
            state = load(parts, snapshot)
        except ReelmError as error:
            log.warning(UNUSABLE(seq=snapshot.seq, error=error))
        else:
            yield snapshot, state
