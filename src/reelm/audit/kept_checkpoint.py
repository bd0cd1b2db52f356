"""The last checkpoint that was signed, kept in a file: the database alone cannot go back unseen."""

import fcntl
from pathlib import Path

from sqlalchemy.orm import Session

from reelm.audit.tree import root_at
from reelm.foundation.durable import write_whole
from reelm.foundation.errors import Invalid, Unavailable
from reelm.proofs.note import Checkpoint, Note

FILE = "audit-checkpoint"


def keep(path: Path, note: str) -> None:
    """Write a checkpoint unless a newer one is there; after its commit, so never ahead of it."""
    with path.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _size(path) >= Checkpoint.parse(Note.parse(note).text).size:
            return
        write_whole(path, note.encode())


def _size(path: Path) -> int:
    try:
        return Checkpoint.parse(Note.parse(path.read_text("utf-8")).text).size
    except (FileNotFoundError, Invalid, UnicodeDecodeError):
        return -1


def check_kept(session: Session, path: Path, origin: str, size: int) -> None:
    """Refuse a log that does not begin with what was signed before.

    Raises:
        Unavailable: the log went back, was written anew or is another one; says what to do.
    """
    try:
        kept = Checkpoint.parse(Note.parse(path.read_text("utf-8")).text)
    except FileNotFoundError:
        return
    except (Invalid, UnicodeDecodeError):
        raise Unavailable(f"{path} holds no checkpoint: move it away to sign without it.") from None
    if kept.origin != origin:
        raise Unavailable(f"{path} is of the log {kept.origin}, and this one is {origin}.")
    if kept.size > size:
        raise Unavailable(
            f"The audit log has gone back: {kept.size} entries were signed, and the database has "
            f"{size}. Restore the newer database. If it is lost, move {path} away: the log goes "
            "on, and everybody who kept a checkpoint will see that entries were lost."
        )
    if kept.size and root_at(session, kept.size) != kept.root:
        raise Unavailable(
            f"The audit log has forked: at size {kept.size} it has another root than was signed, "
            f"which {path} has. Nothing more is signed; `reelm audit check` says what is wrong."
        )
