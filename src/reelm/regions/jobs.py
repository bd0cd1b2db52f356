"""Jobs of this room; each calls one verb."""

from reelm.foundation.jobs import JobRun
from reelm.regions import orders
from reelm.regions.retention import delete_outlived


def lapse_orders(run: JobRun) -> None:
    """End the interim orders that nobody confirmed in time."""
    with run.transaction() as session:
        orders.lapse_orders(session)


def retain(run: JobRun) -> None:
    """Delete the rows that are past their retention."""
    delete_outlived(run.parts)
