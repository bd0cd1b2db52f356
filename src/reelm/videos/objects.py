"""Objects of this room: which rows name them, and how those that no row names are removed.

Two videos may name one object, as equal bytes are stored once. A removal is therefore a row of
`unneeded_object`, written in the transaction that drops the name, and a job that looks again.

An object lies in the store before its row is committed, and the same bytes may be on their way for
another video. So whoever stores must commit within STORE_WITHIN_S, and nothing is removed that was
stored less than REMOVE_AFTER ago: storing equal bytes anew makes the object young again.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import select, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.accounts.models import Account
from reelm.foundation.clock import now
from reelm.foundation.errors import Unavailable
from reelm.foundation.jobs import defer
from reelm.foundation.parts import Parts
from reelm.foundation.storage import ObjectStore, StoredObject
from reelm.videos.models import Rendition, UnneededObject, Video
from reelm.videos.tasks import REMOVE_OBJECTS

ORIGINALS, RENDITIONS, POSTERS, AVATARS = "originals", "renditions", "posters", "avatars"
KINDS = (ORIGINALS, RENDITIONS, POSTERS, AVATARS)
STORE_WITHIN_S = 300.0
REMOVE_AFTER = timedelta(minutes=10)
_BATCH = 500


def check_prompt(began_s: float) -> None:
    """Stop a transaction that would name objects stored too long ago; its job is tried again.

    Args:
        began_s: `time.monotonic()` from before the first object was stored.
    """
    if time.monotonic() - began_s > STORE_WITHIN_S:
        raise Unavailable("Storing took too long on this machine.")


def forget(session: Session, keys: Iterable[str | None]) -> None:
    """Have objects removed after this transaction, unless a row still names them then."""
    rows = [{"key": key, "since": now()} for key in sorted({key for key in keys if key})]
    if not rows:
        return
    statement = insert(UnneededObject).values(rows)
    since = {"since": statement.excluded.since}
    session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=since))
    defer(session, REMOVE_OBJECTS, after_s=int(REMOVE_AFTER.total_seconds()) + 1)


def remove_forgotten(parts: Parts, after: timedelta = REMOVE_AFTER) -> None:
    """Remove the objects forgotten that long ago that no row names and nobody stored anew since."""
    moment = now() - after
    while batch := _forgotten(parts, moment):
        for key in batch:
            with parts.transaction() as session:
                is_named = bool(named(session, [key]))
            stored = None if is_named else _stored(parts.store, key)
            # One stored anew is about to be named, or the sweeper finds it as an orphan.
            if stored is not None and _is_older(stored, moment):
                parts.store.delete(key)
        with parts.transaction() as session:
            for key, since in batch.items():
                unneeded = session.get(UnneededObject, key)
                if unneeded is not None and unneeded.since == since:
                    session.delete(unneeded)


def remove_orphans(parts: Parts, *, stored_before: datetime) -> int:
    """Remove objects that no row names and that are older than any transaction under way."""
    removed = 0
    for kind in KINDS:
        for batch in _batches(parts.store.list(kind), stored_before):
            with parts.transaction() as session:
                unnamed = {one.key for one in batch} - named(session, [one.key for one in batch])
            for key in unnamed:
                again = _stored(parts.store, key)
                if again is not None and _is_older(again, stored_before):
                    parts.store.delete(key)
                    removed += 1
    return removed


def named(session: Session, keys: list[str]) -> set[str]:
    """Return those of `keys` that a row names."""
    rows = session.scalars(
        union_all(
            select(Rendition.object).where(Rendition.object.in_(keys)),
            select(Video.poster_object).where(Video.poster_object.in_(keys)),
            select(Video.original_object).where(Video.original_object.in_(keys)),
            select(Account.avatar_object).where(Account.avatar_object.in_(keys)),
        )
    )
    return {key for key in rows if key is not None}


def _forgotten(parts: Parts, moment: datetime) -> dict[str, datetime]:
    with parts.transaction() as session:
        rows = session.execute(
            select(UnneededObject.key, UnneededObject.since)
            .where(UnneededObject.since <= moment)
            .limit(_BATCH)
        )
        return {row.key: row.since for row in rows}


def _stored(store: ObjectStore, key: str) -> StoredObject | None:
    # A key is {kind}/{two digits}/{sha256}; a store lists by folder.
    return next((one for one in store.list(key.rpartition("/")[0]) if one.key == key), None)


def _batches(
    objects: Iterator[StoredObject], stored_before: datetime
) -> Iterator[list[StoredObject]]:
    batch = []
    for one in objects:
        if _is_older(one, stored_before):
            batch.append(one)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _is_older(stored: StoredObject, moment: datetime) -> bool:
    return stored.modified_at is not None and stored.modified_at < moment
