"""Durable domain events: publishing one inserts the jobs of its subscribers.

A room publishes a fact that carries ids only; who acts on it is said in one table in app.py.
The jobs are rows of the publisher's transaction, so an event is neither lost nor sent early.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy.orm import Session

from reelm.foundation.jobs.defer import Task, defer


@dataclass(frozen=True)
class Event:
    """A fact; its fields are ids."""


Subscribers = Mapping[type[Event], Sequence[Task]]


def publish(session: Session, event: Event) -> None:
    """Insert one job for each subscriber of `event`, in the session's transaction."""
    subscribers: Subscribers = session.info["subscribers"]
    for task in subscribers[type(event)]:
        defer(session, task, **asdict(event))
