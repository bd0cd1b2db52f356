"""What may be said of an authority: its name, powers, threshold, and where it takes objections."""

import re
from collections.abc import Sequence
from typing import get_args

import pyrage

from reelm.foundation.errors import Invalid
from reelm.regions.orders.statement import Power

POWERS: tuple[str, ...] = get_args(Power)
MOST_NAME, MOST_OBJECTIONS = 200, 1000
_FOLLOWED = ("https", "http", "mailto")


def check_name(name: str) -> None:
    """Refuse a name that is empty, too long or cannot be shown."""
    _check_text("name", name, MOST_NAME)


def check_objections(objections: str) -> None:
    """Refuse what is no place to object at: people are shown it beside what is withheld."""
    _check_text("objections", objections, MOST_OBJECTIONS)
    scheme = re.match(r"\s*([A-Za-z][A-Za-z0-9+.-]*):", objections)
    if scheme is not None and scheme[1].lower() not in _FOLLOWED:
        raise Invalid(
            "objections begins with https:, http: or mailto:, or is a place in plain words;"
            f" {scheme[1]}: is neither."
        )


def check_powers(powers: Sequence[str]) -> None:
    """Refuse powers that there are not, and none at all."""
    if not powers or set(powers) - set(POWERS):
        raise Invalid(f"The powers of an authority are among: {', '.join(POWERS)}.")


def check_threshold(threshold: int, keys: int) -> None:
    """Refuse a threshold that the keys cannot meet; without a key it orders on paper only."""
    most = max(1, keys)
    if not 1 <= threshold <= most:
        raise Invalid(f"The threshold lies between 1 and the number of keys, here {most}.")


def check_recipient(recipient: str) -> None:
    """Refuse what is no age recipient."""
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise Invalid("The recipient is an age public key that begins with age1.") from None


def _check_text(what: str, text: str, most: int) -> None:
    if not text.strip() or not text.isprintable() or len(text) > most:
        raise Invalid(f"{what} needs printable text of at most {most} characters.")
