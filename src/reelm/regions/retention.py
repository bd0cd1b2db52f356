"""Retention: rows are deleted when they are older than they may be kept.

Each table says with its data class from which column its rows' age is counted and for how long
they are kept: by a key of the policy pack, or by a rule of ours where the pack has no value. A
table without either is kept. Logs are kept at least as long as the law asks, whatever else is set.
What is held for an authority stays: `held` says which rows.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, Date, Table, delete, not_, select, tuple_

from reelm import audit
from reelm.foundation.classes import Retention
from reelm.foundation.clock import now
from reelm.foundation.database import Base, Session, fence
from reelm.foundation.database.classes import FOREIGN_TABLES
from reelm.foundation.jobs.finished import delete_finished
from reelm.foundation.parts import Parts
from reelm.regions.pack_files import load_pack
from reelm.regions.policy import PolicyPack

# A transaction that deletes more than this holds its locks for seconds.
BATCH = 2000
JOBS = "procrastinate_jobs"

Held = Callable[[Table], ColumnElement[bool] | None]


class Kept(msgspec.Struct, frozen=True):
    """How long rows of a table are kept under a pack; `days` None: they are not deleted."""

    table: str
    retention: Retention
    days: int | None


class Deleted(msgspec.Struct, frozen=True):
    """What one run deleted from a table."""

    table: str
    older_than: datetime
    rows: int


def kept_days(pack: PolicyPack, retention: Retention) -> int | None:
    """Return how many days rows are kept: a law that asks for more goes before; None: for ever."""
    stated = getattr(pack, retention.days_key).value if retention.days_key else None
    days = retention.days if stated is None else stated
    if days is None:
        return None
    return max(days, pack.log_retention_days.value or 0) if retention.is_log else days


def retentions(pack: PolicyPack) -> list[Kept]:
    """Return each table that declares a retention, with what it comes to under a pack."""
    classes = {table.name: table.info["data"] for table in Base.metadata.tables.values()}
    every = sorted({**classes, **FOREIGN_TABLES}.items())
    return [
        Kept(name, data.retention, kept_days(pack, data.retention))
        for name, data in every
        if data.retention is not None
    ]


def delete_outlived(parts: Parts, held: Held | None = None) -> list[Deleted]:
    """Delete what is past its time, in short transactions; each table gets an audit entry.

    Args:
        parts: the open region.
        held: returns the condition of a table's rows that are kept for an authority, or None.

    Raises:
        Frozen: the region is being handed over.
    """
    with parts.transaction() as session:
        fence.refuse_if_closed(session)
    moment = now()
    pack = load_pack(parts.settings.region.jurisdiction)
    done = []
    for kept in retentions(pack):
        if kept.days is None:
            continue
        before = moment - timedelta(days=kept.days)
        rows = sum(_batches(parts, kept, before, held))
        with parts.transaction() as session:
            audit.record(
                session,
                "regions.retention_ran",
                table=kept.table,
                rows=rows,
                older_than=f"{before:%Y-%m-%dT%H:%M:%SZ}",
            )
        done.append(Deleted(kept.table, before, rows))
    return done


def _batches(parts: Parts, kept: Kept, before: datetime, held: Held | None) -> Iterator[int]:
    deleted = BATCH
    while deleted == BATCH:
        with parts.transaction() as session:
            if kept.table == JOBS:
                deleted = delete_finished(session, before, BATCH)
            else:
                table = Base.metadata.tables[kept.table]
                deleted = _delete(session, table, kept.retention.column, before, held)
        yield deleted


def _delete(
    session: Session, table: Table, column: str, before: datetime, held: Held | None
) -> int:
    age = table.columns[column]
    limit: datetime | date = before.date() if isinstance(age.type, Date) else before
    is_past = age < limit
    spared = held(table) if held is not None else None
    if spared is not None:
        is_past &= not_(spared)
    key = list(table.primary_key.columns)
    batch = select(*key).where(is_past).limit(BATCH)
    # The condition again, so that partitions are looked into by its index too.
    statement = delete(table).where(is_past, tuple_(*key).in_(batch)).returning(*key)
    return len(session.execute(statement).all())
