"""What this room tells the others."""

from dataclasses import dataclass

from reelm.foundation.events import Event


@dataclass(frozen=True)
class OrderInForce(Event):
    """An order has begun to hold."""

    order_id: int


@dataclass(frozen=True)
class OrderEnded(Event):
    """An order holds no more: it was lifted, or it lapsed."""

    order_id: int
