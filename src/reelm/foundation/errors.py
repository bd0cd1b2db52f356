"""The errors a domain verb may raise.

ReelmError
├── Invalid            the request itself is wrong: what, where, and what would be right
│   └── BadSetting     a setting in region.toml or REELM_* is wrong
├── Unauthenticated    nobody is signed in, or the credentials are wrong
├── Forbidden          the viewer is known and may not do this
├── Missing            there is no such thing, or the viewer may not know of it
├── Conflict           it clashes with what is there now
├── Gone               it was there and has ended
├── TooLarge           over a limit that was told before
├── RateLimited        too many tries; says when to come back
├── LegallyWithheld    a legal order withholds it
└── Unavailable        a part this needs is not there just now
    ├── Frozen         the region is being handed over, and nothing is written
    └── Departed       the region has gone to another operator

A domain error says its kind and one sentence for a person; web/errors.py maps kinds to statuses.
"""

from collections.abc import Sequence
from typing import ClassVar


class ReelmError(Exception):
    """An expected failure, with a sentence that a person can act on."""

    kind: ClassVar[str] = "internal"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Invalid(ReelmError):
    """The request is wrong in itself."""

    kind = "invalid"


class BadSetting(Invalid):
    """A setting is wrong."""

    kind = "bad_setting"


class Unauthenticated(ReelmError):
    """Nobody is signed in, or the credentials are wrong."""

    kind = "unauthenticated"


class Forbidden(ReelmError):
    """The viewer may not do this."""

    kind = "forbidden"


class Missing(ReelmError):
    """There is no such thing for this viewer."""

    kind = "missing"


class Conflict(ReelmError):
    """It clashes with what is there."""

    kind = "conflict"


class Gone(ReelmError):
    """It was there and has ended."""

    kind = "gone"


class TooLarge(ReelmError):
    """It is over a stated limit."""

    kind = "too_large"


class RateLimited(ReelmError):
    """Too many tries in a short time."""

    kind = "rate_limited"

    def __init__(self, sentence: str, retry_after_s: int) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class LegallyWithheld(ReelmError):
    """A legal order withholds it."""

    kind = "legally_withheld"

    def __init__(self, sentence: str, by: Sequence[object] = ()) -> None:
        """Say with `by` the orders that withhold it, as far as they may be told."""
        super().__init__(sentence)
        self.by = tuple(by)


class Unavailable(ReelmError):
    """A part that this needs is not there just now."""

    kind = "unavailable"


class Frozen(Unavailable):
    """The region is being handed over: nothing is written until that has ended."""


class Departed(Unavailable):
    """The region has gone to another operator: this side serves it no more."""
