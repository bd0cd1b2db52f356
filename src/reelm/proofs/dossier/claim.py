"""One claim of a report, and the files that it follows from."""

from collections.abc import Sequence

import msgspec


class Claim(msgspec.Struct, frozen=True):
    """A sentence that was computed from files; `id` names it in the page."""

    id: str
    part: str
    sentence: str
    files: list[str]


def number(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun, such as "1 row" or "2,400 rows"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Return words as a sentence lists them."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def seconds(at: str) -> str:
    """Return a time of the log to the second, as people read it."""
    return f"{at[:10]} {at[11:19]} UTC"
