"""Objects of this room: which rows name them, and how those that no row names are removed.

Two videos may name one object, as equal bytes are stored once. A removal is therefore a row of
`unneeded_object`, written in the transaction that drops the name, and a job that looks again.

An object lies in the store before its row is committed, so the same bytes may be on their way for
another video. An original only comes from an unfinished upload of its size: without one it goes at
once, as it tells of places and devices. Of other kinds, nothing is removed that was stored less
than REMOVE_AFTER ago (storing equal bytes anew makes the object young again), and whoever stores
must commit within STORE_WITHIN_S.
"""

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, or_, select, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.accounts.models import Account
from reelm.foundation.classes import DataClass, Erasure, Place, Residency, Transfer, declare
from reelm.foundation.clock import now
from reelm.foundation.errors import Unavailable
from reelm.foundation.jobs import defer
from reelm.foundation.parts import Parts
from reelm.foundation.storage import ObjectStore, StoredObject
from reelm.videos.models import Rendition, UnneededObject, Upload, Video
from reelm.videos.tasks import REMOVE_OBJECTS

_DATA = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.DELETE)
ORIGINALS = declare(
    Place.OBJECTS, "originals", "files as uploaded, with their places; until converted", _DATA
)
RENDITIONS = declare(Place.OBJECTS, "renditions", "published video, without metadata", _DATA)
POSTERS = declare(Place.OBJECTS, "posters", "a still of each video", _DATA)
AVATARS = declare(Place.OBJECTS, "avatars", "people's pictures", _DATA)
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
    kinds = {_is_original(str(row["key"])) for row in rows}
    if True in kinds:
        defer(session, REMOVE_OBJECTS)
    if False in kinds:
        defer(session, REMOVE_OBJECTS, after_s=int(REMOVE_AFTER.total_seconds()) + 1)


def remove_forgotten(parts: Parts, after: timedelta = REMOVE_AFTER) -> None:
    """Remove the forgotten objects that no row names and that are not on their way again.

    Args:
        parts: the open region.
        after: how long ago an object that is no original must have been stored and forgotten.
    """
    moment = now() - after
    last = ""
    while batch := _forgotten(parts, moment, last):
        last = max(batch)
        done = [key for key in batch if _remove(parts, key, moment)]
        with parts.transaction() as session:
            for key in done:
                settled = UnneededObject.key == key, UnneededObject.since == batch[key]
                session.execute(delete(UnneededObject).where(*settled))


def _remove(parts: Parts, key: str, moment: datetime) -> bool:
    """Remove an object if it may go; return whether nothing is left to do."""
    stored = _stored(parts.store, key)
    if stored is None:
        return True
    with parts.transaction() as session:
        if named(session, [key]):
            return True
        if _is_original(key) and _is_coming(session, stored.size_bytes):
            return False
    if _is_original(key) or _is_older(stored, moment):
        parts.store.delete(key)
    # A younger one is about to be named, or the sweeper finds it as an orphan.
    return True


def _is_coming(session: Session, size_bytes: int) -> bool:
    unfinished = exists().where(Upload.video_id.is_(None), Upload.size_bytes == size_bytes)
    return bool(session.scalar(select(unfinished)))


def _is_original(key: str) -> bool:
    return key.startswith(f"{ORIGINALS}/")


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


def _forgotten(parts: Parts, moment: datetime, last: str) -> dict[str, datetime]:
    is_due = or_(UnneededObject.since <= moment, UnneededObject.key.startswith(f"{ORIGINALS}/"))
    with parts.transaction() as session:
        rows = session.execute(
            select(UnneededObject.key, UnneededObject.since)
            .where(is_due, UnneededObject.key > last)
            .order_by(UnneededObject.key)
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
