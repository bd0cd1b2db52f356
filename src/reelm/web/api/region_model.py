"""What the region says of its ranking model after a sale: did it come along, what serves now."""

from datetime import datetime
from typing import Literal

import msgspec

from reelm import feed, transfer
from reelm.feed.live import LiveFeed
from reelm.foundation.database import Session
from reelm.transfer import FormerModel

_STAYED = {
    "exclude": "stayed with it (excluded from the sale)",
    "retrain": "stayed with it (the sale leaves it to be learned anew)",
}
_SERVED = ("since", "first_seq", "first_at", "last_seq", "last_at")
_CAME = {"transfer": "came with the region", "license": "came with the region, under a licence"}


class ModelAfterSale(msgspec.Struct, frozen=True):
    """What became of the former operator's model, and what serves now.

    `learned` is how much of the region's log the new model has learned, from 0 to 1; null where it
    is not known just now. `since` is when it began to serve, with the signals that it had learned.
    """

    state: Literal["came_along", "retraining", "retrained"]
    sentence: str
    former_operator: str
    disposition: str
    learned: float | None
    since: datetime | None
    first_seq: int | None
    first_at: datetime | None
    last_seq: int | None
    last_at: datetime | None


def model_after_sale(session: Session, live: LiveFeed) -> ModelAfterSale | None:
    """Return what a region that was sold says of its model; None of one that never was."""
    former = transfer.former_model(session)
    if former is None:
        return None
    if not former.stayed:
        words = f"The ranking model of the former operator, {former.operator}, "
        return _told(former, "came_along", f"{words}{_CAME[former.disposition]}.")
    began = f"The ranking model of the former operator, {former.operator}, "
    began += f"{_STAYED[former.disposition]}. "
    served = feed.first_served(session)
    if served is None:
        learned = live.learned()
        return _told(former, "retraining", began + _retraining(learned), learned=learned)
    return _told(former, "retrained", began + _retrained(served), learned=1.0, served=served)


def _retraining(learned: float | None) -> str:
    done = "" if learned is None else f": {int(learned * 100)} % done"
    return (
        "The feed does not use what you watched until a new model has learned from this region's"
        f" own log{done}."
    )


def _retrained(served: feed.FirstServed) -> str:
    since = f"{served.since:%Y-%m-%d %H:%M} UTC"
    if served.first_seq is None or served.first_at is None or served.last_at is None:
        return f"Since {since} the feed uses a new model, which began with nothing learned."
    return (
        f"Since {since} the feed uses a new model, which learned from this region's own log alone:"
        f" signals {served.first_seq:,} to {served.last_seq:,},"
        f" of {served.first_at:%Y-%m-%d} to {served.last_at:%Y-%m-%d}."
    )


def _told(
    former: FormerModel,
    state: Literal["came_along", "retraining", "retrained"],
    sentence: str,
    *,
    learned: float | None = None,
    served: feed.FirstServed | None = None,
) -> ModelAfterSale:
    return ModelAfterSale(
        state=state,
        sentence=sentence,
        former_operator=former.operator,
        disposition=former.disposition,
        learned=learned,
        **{name: getattr(served, name, None) for name in _SERVED},
    )
