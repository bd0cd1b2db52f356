"""Check the log as it lies in the database: everything the offline verifier does, and more."""

from collections.abc import Callable, Iterator

import msgspec
from sqlalchemy import text
from sqlalchemy.orm import Session

from reelm.audit.export import export
from reelm.audit.integrate import Signer, newest
from reelm.audit.kept_checkpoint import check_kept
from reelm.audit.tree import TILE, TILE_LEVELS, leaf_count, root_at
from reelm.foundation.database import Database
from reelm.foundation.errors import Invalid, Unavailable
from reelm.proofs.merkle import EMPTY_ROOT, Frontier
from reelm.proofs.note import Note
from reelm.proofs.report import Report
from reelm.proofs.verify import Expected, verify_export

SHOWN = 10
_OUTSIDE = text(
    """
    SELECT entry.id FROM audit_entry entry
    WHERE NOT EXISTS (SELECT FROM audit_leaf leaf WHERE leaf.entry_id = entry.id)
        AND NOT EXISTS (SELECT FROM audit_pending pending WHERE pending.entry_id = entry.id)
    ORDER BY entry.id LIMIT :limit
    """
)
_WITHOUT_ENTRY = text(
    """
    SELECT leaf.index FROM audit_leaf leaf
    WHERE NOT EXISTS (SELECT FROM audit_entry entry WHERE entry.id = leaf.entry_id)
    ORDER BY leaf.index LIMIT 1
    """
)
_BELOW = {
    False: text(
        "SELECT hash FROM audit_leaf WHERE index >= :start AND index < :end ORDER BY index"
    ),
    True: text(
        "SELECT hash FROM audit_node WHERE level = :level AND index >= :start AND index < :end"
        " ORDER BY index"
    ),
}


class Found(msgspec.Struct, frozen=True):
    """What is wrong with the log in the database, beside what its export shows.

    `outside` are entries that were recorded and are neither in the tree nor waiting for it.
    """

    size: int
    pending: int
    outside: list[str]
    wrong: list[str]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.outside and not self.wrong


def check_tables(session: Session, signer: Signer) -> Found:
    """Check quickly: is every entry in the tree, and is the tree the one that was signed?"""
    outside = [str(entry_id) for entry_id in session.scalars(_OUTSIDE, {"limit": SHOWN})]
    pending = session.scalar(text("SELECT count(*) FROM audit_pending")) or 0
    return Found(leaf_count(session), pending, outside, list(_wrong(session, signer)))


def check_log(
    database: Database,
    signer: Signer,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[Found, Report]:
    """Check everything: each entry, each stored node, each checkpoint."""
    with database.transaction() as session:
        found = check_tables(session, signer)
        wrong = [*found.wrong, *_wrong_nodes(session, found.size)]
    kept = _kept(signer)
    lines = _lines(export(database, signer.origin, signer.first_key))
    report = verify_export(lines, Expected(signer.origin, previous=kept), on_progress)
    return msgspec.structs.replace(found, wrong=wrong), report


def _wrong(session: Session, signer: Signer) -> Iterator[str]:
    without = session.scalar(_WITHOUT_ENTRY)
    if without is not None:
        yield f"Leaf {without} has no entry any more."
    last, length = newest(session), leaf_count(session)
    size, root = (0, EMPTY_ROOT) if last is None else (last.size, last.root)
    if size != length:
        yield f"The tree has {length} leaves, and {size} are signed."
    try:
        if length >= size and root_at(session, size) != root:
            yield f"The tree has another root than was signed for size {size}."
        check_kept(session, signer.kept, signer.origin, size)
    except Unavailable as error:
        yield error.sentence


def _wrong_nodes(session: Session, size: int) -> Iterator[str]:
    """Compute each stored node from what lies below it."""
    level, count = TILE_LEVELS, size // TILE
    while count:
        query = text("SELECT index, hash FROM audit_node WHERE level = :level ORDER BY index")
        stored = {int(row[0]): bytes(row[1]) for row in session.execute(query, {"level": level})}
        for index in range(count):
            below = session.scalars(
                _BELOW[level > TILE_LEVELS],
                {"level": level - TILE_LEVELS, "start": index * TILE, "end": (index + 1) * TILE},
            )
            tree = Frontier()
            tree.extend(bytes(hashed) for hashed in below)
            if tree.size != TILE or stored.pop(index, None) != tree.root():
                yield f"Node {index} of level {level} is not what lies below it."
        if stored:
            yield f"Level {level} has nodes of leaves that are not there."
        level, count = level + TILE_LEVELS, count // TILE


def _kept(signer: Signer) -> list[Note]:
    try:
        return [Note.parse(signer.kept.read_text("utf-8"))]
    except (OSError, Invalid, UnicodeDecodeError):
        return []  # check_tables has said so


def _lines(pages: Iterator[bytes]) -> Iterator[bytes]:
    for page in pages:
        yield from page.splitlines(keepends=True)
