"""Times that options give."""

from datetime import datetime

import msgspec

from reelm.foundation.errors import Invalid
from reelm.proofs import sale


def time(text: str, option: str) -> datetime | None:
    """Return the time that an option gives, or None where it is not given.

    Raises:
        Invalid: it is no time with its zone.
    """
    if not text:
        return None
    try:
        return msgspec.convert(text, sale.Time)
    except msgspec.ValidationError:
        raise Invalid(f"{option} is a time with its zone, such as 2027-03-01T00:00:00Z.") from None
