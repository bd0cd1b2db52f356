"""Objects of this room: which rows name them, and how those that no row names are removed.

Two videos may name one object, as equal bytes are stored once. A removal is therefore a row
(`unneeded_object`), written with the change that needed the object last, and a job that looks again.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import select, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.foundation.clock import now
from reelm.foundation.jobs import defer
from reelm.foundation.parts import Parts
from reelm.foundation.storage import ObjectStore, StoredObject
from reelm.videos.models import Rendition, UnneededObject, Video
from reelm.videos.tasks import REMOVE_OBJECTS

ORIGINALS, RENDITIONS, POSTERS = "originals", "renditions", "posters"
KINDS = (ORIGINALS, RENDITIONS, POSTERS)
_BATCH = 500


def forget(session: Session, keys: Iterable[str | None]) -> None:
    """Have objects removed after this transaction, unless a row still names them then."""
    rows = [{"key": key, "since": now()} for key in sorted({key for key in keys if key})]
    if not rows:
        return
    statement = insert(UnneededObject).values(rows)
    since = {"since": statement.excluded.since}
    session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=since))
    defer(session, REMOVE_OBJECTS)


def remove_forgotten(parts: Parts) -> None:
    """Remove the forgotten objects that no row names and that were not stored anew since."""
    while batch := _forgotten(parts):
        for key, since in batch.items():
            with parts.transaction() as session:
                is_named = bool(named(session, [key]))
            stored = None if is_named else _stored(parts.store, key)
            # Stored again since: an upload of the same bytes is about to name it, or the sweeper
            # finds it. Only the moment between this look and the removal is left open.
            if stored and (stored.modified_at is None or stored.modified_at <= since):
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
        )
    )
    return {key for key in rows if key is not None}


def _forgotten(parts: Parts) -> dict[str, datetime]:
    with parts.transaction() as session:
        rows = session.execute(select(UnneededObject.key, UnneededObject.since).limit(_BATCH))
        return {key: since for key, since in rows}


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
