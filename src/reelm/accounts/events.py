"""What this room tells the others."""

from dataclasses import dataclass

from reelm.foundation.events import Event


@dataclass(frozen=True)
class AccountErased(Event):
    """An account's erasure has begun: its key is gone; remove its objects and rows.

    May be published again for the same account, until everything is gone.
    """

    account_id: int
