"""What technology runs: release, bill of materials, and the model that the feed learned."""

from datetime import datetime

import msgspec

from reelm import __version__, audit
from reelm.audit.materials import running_bill
from reelm.feed.log.snapshots import newest
from reelm.foundation.config import Settings
from reelm.foundation.database import Session
from reelm.foundation.errors import Unavailable
from reelm.videos.programs import programs


class Model(msgspec.Struct, frozen=True):
    """The newest snapshot of the ranker's state: SHA-256, last signal in it, when."""

    digest: str
    seq: int
    made_at: datetime


class Technology(msgspec.Struct, frozen=True):
    """Release, digest of its code, digest of all that is installed (None: a program is missing)."""

    release: str
    code_digest: str
    sbom_digest: str | None
    model: Model | None


def technology(session: Session, settings: Settings) -> Technology:
    """Return what runs; reading what is installed takes a moment, once."""
    snapshot = newest(session)
    return Technology(
        __version__,
        audit.code_digest(),
        _sbom_digest(settings),
        snapshot and Model(snapshot.digest, snapshot.seq, snapshot.made_at),
    )


def _sbom_digest(settings: Settings) -> str | None:
    try:
        return running_bill(programs(settings)).digest
    except Unavailable:
        return None
