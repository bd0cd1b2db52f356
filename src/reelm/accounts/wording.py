"""Check text that people write: it must be shown to others as it stands."""

import unicodedata

from reelm.foundation.errors import Invalid

# Marks that turn the reading direction of what follows: a name could pose as another with them
# (Unicode Technical Report 36, section 2.5).
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str, *, what: str, most: int) -> str:
    """Return `text` composed and trimmed, on one line.

    Raises:
        Invalid: it is empty, too long, or has characters that cannot be shown.
    """
    line = paragraphs(text, what=what, most=most)
    if not line:
        raise Invalid(f"The {what} is empty.")
    if "\n" in line:
        raise Invalid(f"The {what} must be one line.")
    return line


def paragraphs(text: str, *, what: str, most: int) -> str:
    """Return `text` composed and trimmed; it may be empty and have several lines.

    Raises:
        Invalid: it is too long, or has characters that cannot be shown.
    """
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if len(composed) > most:
        raise Invalid(f"The {what} has {len(composed)} characters; at most {most} are possible.")
    for sign in composed:
        if sign in _TURNING or (unicodedata.category(sign) in {"Cc", "Cs"} and sign != "\n"):
            raise Invalid(f"The {what} has a character that cannot be shown (U+{ord(sign):04X}).")
    return composed
