"""What everybody is told of a sale, as pages and notices show it."""

from reelm import moderation, transfer
from reelm.foundation.database import Session


def to_everybody(session: Session) -> list[moderation.ToEverybody]:
    """Return the notices that every account has now."""
    told = transfer.news(session)
    return [] if told is None else [as_notice(told)]


def as_notice(told: transfer.News) -> moderation.ToEverybody:
    """Return news of a sale as a notice."""
    return moderation.ToEverybody(
        told.number,
        "transfer",
        told.transfer_id,
        told.what,
        transfer.words(told),
        told.told_at,
    )
