"""Who signs the region's audit log: its origin and key, as the rooms above and the worker need."""

from sqlalchemy.orm import Session

from reelm import audit
from reelm.foundation.home import Home
from reelm.foundation.jobs import JobRun
from reelm.foundation.parts import Parts
from reelm.proofs.keys import origin
from reelm.regions.tenure import first_key, region_id

KEPT = "audit-checkpoint"


def audit_signer(parts: Parts) -> audit.Signer:
    """Return what signs the region's log.

    Raises:
        Missing: the region has no operator yet.
    """
    with parts.transaction() as session:
        return signer_in(session, parts.home)


def signer_in(session: Session, home: Home) -> audit.Signer:
    """Return what signs the log of the region whose database the session is of."""
    return audit.Signer(
        origin(region_id(session)), first_key(session), home.operator_key(), home.path / KEPT
    )


def integrate_log(run: JobRun) -> None:
    """Take what is pending into the tree: a safety net below the worker's thread."""
    audit.integrate(run.parts.database, audit_signer(run.parts))
