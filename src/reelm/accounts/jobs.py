"""Jobs of this room: each calls a verb."""

from contextlib import suppress

from sqlalchemy import delete

from reelm.accounts import erase, sealed_copies
from reelm.accounts.models import RateLimit
from reelm.accounts.sessions import sweep_sessions
from reelm.accounts.tasks import DESTROY_COPIES, MAKE_COPIES
from reelm.foundation.clock import now
from reelm.foundation.database import fence
from reelm.foundation.errors import Frozen, Missing
from reelm.foundation.jobs import JobRun, defer


def erase_later(run: JobRun, *, account_id: int) -> None:
    """Erase an account for which a handover had to end first.

    Raises:
        Frozen: it has not ended.
    """
    with suppress(Missing), run.transaction() as session:  # whom a cutover names may be nobody
        if erase.waits_for_handover(session):
            raise Frozen(fence.FROZEN)
        erase.erase_account(session, run.parts, account_id)


def finish_erasure(run: JobRun, *, account_id: int) -> None:
    """Remove all rows of an account whose erasure has begun."""
    erase.finish_erasure(run.parts, account_id)


def make_copies(run: JobRun, *, order_id: int) -> None:
    """Copy the accounts whose data an order has preserved or disclosed."""
    sealed_copies.make_copies(run.parts, order_id)


def copy_before_erasure(run: JobRun, *, account_id: int) -> None:
    """Copy an erased account for the orders about it, and let its erasure go on."""
    erase.go_on_after_copies(run.parts, account_id)


def destroy_copies(run: JobRun, *, order_id: int) -> None:
    """Destroy what was copied for an order that has ended."""
    sealed_copies.destroy_copies(run.parts, order_id)


def resume_copies(run: JobRun) -> None:
    """Take up again what copies of accounts are to be made or destroyed."""
    with run.transaction() as session:
        for order_id in sealed_copies.orders_lacking_copies(session):
            defer(session, MAKE_COPIES, order_id=order_id)
        for order_id in sealed_copies.outlived_orders(session):
            defer(session, DESTROY_COPIES, order_id=order_id)
    sealed_copies.sweep_copies(run.parts)


def resume_erasures(run: JobRun) -> None:
    """Tell of each erasure that has not ended, so that it is taken up again."""
    with run.transaction() as session:
        erase.resume_erasures(session)


def sweep(run: JobRun) -> None:
    """Remove sessions and rate-limit windows that have ended."""
    with run.transaction() as session:
        sweep_sessions(session)
        session.execute(delete(RateLimit).where(RateLimit.window_ends_at <= now()))
