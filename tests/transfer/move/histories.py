"""Check what writers saw, on both sides of a move, against two laws.

1. Never two operators: what was taken in at the seller was begun before anything that was taken in
   at the buyer had ended, and before the cutover had. Times are those of one monotonic clock.
2. Nothing that was acknowledged is lost, and nothing that was refused is there.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

SELLER, BUYER = "seller", "buyer"


class Act(NamedTuple):
    """One write: of what, where, from when to when, and what its writer was told."""

    side: str
    kind: str
    key: str  # what was written; never twice
    began: float
    ended: float
    # Unknown: the connection went in the middle.
    outcome: Literal["ok", "refused", "unknown"]


def faults(
    acts: Sequence[Act], handed_over_at: float, there: Iterable[tuple[str, str]]
) -> list[str]:
    """Return what breaks a law, a sentence each.

    Args:
        acts: what all writers did.
        handed_over_at: when the seller's cutover had ended.
        there: kind and key of what the buyer has in the end.
    """
    found = set(there)
    return [
        *_two_operators(acts, handed_over_at),
        *(f"{_named(one)} was acknowledged, and is lost." for one in acts
          if one.outcome == "ok" and (one.kind, one.key) not in found),
        *(f"{_named(one)} was refused, and is there." for one in acts
          if one.outcome == "refused" and (one.kind, one.key) in found),
    ]  # fmt: skip


def _two_operators(acts: Sequence[Act], handed_over_at: float) -> list[str]:
    taken = [one for one in acts if one.outcome == "ok"]
    first = min((one.ended for one in taken if one.side == BUYER), default=float("inf"))
    end, what = min((handed_over_at, "the cutover"), (first, "the buyer had taken something in"))
    return [
        f"{_named(one)} was taken in after {what}."
        for one in taken
        if one.side == SELLER and one.began > end
    ]


def _named(act: Act) -> str:
    return f"The {act.kind} {act.key} at the {act.side}"
