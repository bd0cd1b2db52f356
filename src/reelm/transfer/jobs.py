"""Jobs of this room; each calls one verb."""

from reelm.foundation.jobs import JobRun
from reelm.transfer import transition


def end_grants(run: JobRun) -> None:
    """Take the roles of a former operator whose time has come."""
    with run.transaction() as session:
        transition.end_grants(session)
