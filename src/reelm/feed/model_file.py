"""The model as a file of its own, for a sale in which it goes along (docs/transfer.md).

The form is that of a snapshot (log/state_file.py), whose header says besides, under `learned`, from
which signals of the region's log it learned. Who takes one in trusts nothing in it.
"""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import msgspec
from psycopg import Connection

from reelm import __version__
from reelm.feed.facts import all_facts
from reelm.feed.idle import last_active, without_account
from reelm.feed.learner import Learner
from reelm.feed.live import make_ranker
from reelm.feed.log.appender import connect
from reelm.feed.log.replay import replayed
from reelm.feed.log.restore import restored
from reelm.feed.log.snapshots import KIND, remove_orphans
from reelm.feed.log.snapshots import learned as learned_of
from reelm.feed.log.state_file import read_state, write_state
from reelm.feed.ranker import Sizes, State
from reelm.feed.ranker.checked import checked
from reelm.feed.signals import Kind
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Invalid
from reelm.foundation.ids import new_id
from reelm.foundation.parts import Parts
from reelm.foundation.storage import ObjectStore

# At its full sizes the whole state is below 1.5 GB (ranker/sizes.py).
MOST_BYTES = 2 << 30
REFUSED = "The model was not taken in: {}"


class Learned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which signals of the region's log a model learned; the first is None where none."""

    first_seq: int | None
    first_at: datetime | None
    last_seq: int
    last_at: datetime | None


class ModelFacts(msgspec.Struct, frozen=True):
    """A model's file: SHA-256 in hex, size, and what it learned from."""

    digest: str
    size_bytes: int
    learned: Learned


def export_model(parts: Parts, path: Path) -> ModelFacts:
    """Write the model as it is at the last signal of the log; the log is frozen by then.

    It is made of the newest snapshot and the log after it, so no process needs to hold the ranker.
    """
    ranker, seq = restored(parts, make_ranker)
    seq = _learn_to_the_end(parts, ranker, seq)
    with parts.transaction() as session:
        learned = Learned(**learned_of(session, seq), last_seq=seq)  # type: ignore[arg-type]
    header, arrays = ranker.state()
    with path.open("wb") as file:
        write_state(file, State({**header, "learned": msgspec.to_builtins(learned)}, arrays))
    return ModelFacts(_digest(path), path.stat().st_size, learned)


def install_model(
    connection: Connection[Any], store: ObjectStore, path: Path, expected_digest: str
) -> ModelFacts:
    """Check a model's file as hostile input, and make it the one that this region starts with.

    Args:
        connection: to the buyer's database, in which the log is already; the caller commits.
        store: of the buyer.
        path: of the file; its bytes go into the store as they are.
        expected_digest: SHA-256 in hex, as the closing manifest names it.

    Raises:
        Invalid: it is not the file that was named, or no model that this release can run.
        Conflict: the region has a model.
    """
    if _number(connection, "SELECT count(*) FROM ranker_snapshot"):
        raise Conflict("This region has a model already.")
    facts = check_model(path, expected_digest)
    learned = facts.learned
    if learned.last_seq > _number(connection, "SELECT coalesce(max(seq), 0) FROM signal"):
        raise Invalid(REFUSED.format("it learned from signals that the log does not have."))
    stored = store.put_file(KIND, path)
    if stored.sha256 != expected_digest:
        raise Invalid(REFUSED.format("the file was changed while it was read."))
    connection.execute(
        "INSERT INTO ranker_snapshot"
        " (id, seq, object, digest, made_at, release, first_seq, first_at, last_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            new_id(), learned.last_seq, stored.key, stored.sha256, now(), __version__,
            learned.first_seq, learned.first_at, learned.last_at,
        ],
    )  # fmt: skip
    return facts


def uninstall_models(connection: Connection[Any]) -> None:
    """Remove what was installed in a region that does not serve yet; the caller commits.

    The objects go with `remove_uninstalled`.
    """
    connection.execute("DELETE FROM ranker_snapshot")


def remove_uninstalled(parts: Parts) -> None:
    """Remove the models from the store that were put there and are not installed."""
    remove_orphans(parts, timedelta(0))


def check_model(path: Path, expected_digest: str) -> ModelFacts:
    """Check a model's file as hostile input, without a database.

    Raises:
        Invalid: it is not the file that was named, or no model that this release can run.
    """
    size_bytes = path.stat().st_size
    if size_bytes > MOST_BYTES:
        raise Invalid(REFUSED.format(f"it is larger than {MOST_BYTES} bytes."))
    if (digest := _digest(path)) != expected_digest:
        raise Invalid(REFUSED.format(f"its SHA-256 is {digest}, not {expected_digest}."))
    with path.open("rb") as file:
        state = read_state(file)
    try:
        learned = msgspec.convert(state.header.get("learned"), Learned)
        checked(state, Sizes())
    except (ValueError, msgspec.ValidationError) as error:
        raise Invalid(REFUSED.format(error)) from error
    if min(learned.last_seq, learned.first_seq or 0) < 0:
        raise Invalid(REFUSED.format("it learned from signals that no log has."))
    return ModelFacts(digest, size_bytes, learned)


def _learn_to_the_end(parts: Parts, ranker: Learner, seq: int) -> int:
    """Learn the log after `seq`, with the videos as they are; return the number of its end."""
    there = set[int]()
    with parts.transaction() as session:
        for some in all_facts(session):
            there.update(facts.video_id for facts in some)
            ranker.add_videos(some)
    ranker.remove_videos([video_id for video_id in ranker.videos() if video_id not in there])
    with connect(parts.database.conninfo) as connection:
        for batch in replayed(connection, seq):
            seq = batch[-1].seq
            if batch[0].kind == Kind.RESET:
                ranker.forget(batch[0].viewer_id)
            else:
                ranker.observe(batch)
    with parts.transaction() as session:
        gone = without_account(session, ranker.viewers())
        for viewer_id in set(gone) - set(last_active(session, gone)):
            ranker.forget(viewer_id)
    return seq


def _number(connection: Connection[Any], query: LiteralString) -> int:
    row = connection.execute(query).fetchone()
    return 0 if row is None else int(row[0])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
