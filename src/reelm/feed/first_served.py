"""When the model began to serve under an operator who took the region over, and with what.

An entry of the audit log says so, once in such a tenure: it is what everybody can check of a
region that was sold without its model.
"""

import logging
from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from reelm import audit, regions
from reelm.feed.trained import trained_model
from reelm.foundation.clock import utc_text
from reelm.foundation.errors import Missing, ReelmError
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts

log = logging.getLogger(__name__)
NOT_NOTED = Line("that the model serves was not noted: {error}")

SERVES = "feed.model_serves"


class FirstServed(msgspec.Struct, frozen=True):
    """Since when the model serves in this tenure, and which signals of the log it had learned.

    The first signal is None where the log had none.
    """

    since: datetime
    digest: str
    first_seq: int | None
    first_at: datetime | None
    last_seq: int
    last_at: datetime | None


def first_served(session: Session) -> FirstServed | None:
    """Return how the model began to serve in the tenure that is active; None while it has not.

    Of a region's first tenure nothing is written, and None is returned.
    """
    entry = audit.newest_entry(session, SERVES)
    if entry is None or entry.body["epoch"] != regions.current_tenure(session).epoch:
        return None
    body = {name: value for name, value in entry.body.items() if name != "epoch"}
    return msgspec.convert({**_EMPTY, **body, "since": entry.at}, FirstServed)


def note_first_served(parts: Parts, save: Callable[[], None]) -> None:
    """Write the entry where it is due, of a state that `save` stores; else the next start does."""
    try:
        with parts.transaction() as session:
            is_due = _is_due(session)
        if is_due:
            save()
            with parts.transaction() as session:
                _note(session)
    except (ReelmError, SQLAlchemyError, OSError) as error:
        log.warning(NOT_NOTED(error=error))


def _note(session: Session) -> None:
    model = trained_model(session)
    if model is None or not _is_due(session):
        return
    learned: dict[str, int | str] = {"last_seq": model.last_seq}
    if model.first_seq is not None:
        learned["first_seq"] = model.first_seq
    for name, time in (("first_at", model.first_at), ("last_at", model.last_at)):
        if time is not None:
            learned[name] = utc_text(time)
    epoch = regions.current_tenure(session).epoch
    audit.record(session, "feed.model_serves", epoch=epoch, digest=model.digest, **learned)


def _is_due(session: Session) -> bool:
    try:
        epoch = regions.current_tenure(session).epoch
    except Missing:
        return False
    return epoch > 1 and first_served(session) is None


_EMPTY = {"first_seq": None, "first_at": None, "last_at": None}
