"""Pages of lists that are in the order of ids: the cursor is the last id of the page before."""

from collections.abc import Sequence
from typing import Annotated, Any, overload

from msgspec import Meta

from reelm.foundation.errors import Invalid
from reelm.foundation.ids import MAX_ID

Cursor = Annotated[
    str,
    Meta(pattern=r"^[1-9][0-9]{0,18}$", description="The `cursor` of the page before."),
]
PageSize = Annotated[int, Meta(ge=1, le=50, description="Most entries on the page.")]


@overload
def number_of(text: str) -> int: ...
@overload
def number_of(text: None) -> None: ...
@overload
def number_of(text: str | None) -> int | None: ...
def number_of(text: str | None) -> int | None:
    """Return an id or cursor as a number; one over 63 bits is the greatest there can be.

    Raises:
        Invalid: it is not a number; pages hand over cursors that nobody has checked.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise Invalid("The cursor is not one that was given out here; ask again without it.")
    return min(int(text[:20]), MAX_ID)


def begun_anew(cursor: str | None) -> str | None:
    """Return a cursor that a page may go on with; one that is none begins the list anew."""
    return cursor if cursor and cursor.isascii() and cursor.isdigit() else None


def cursor_after(entries: Sequence[Any], limit: int) -> str | None:
    """Return the cursor of the next page when `limit` + 1 entries were asked for."""
    return str(entries[limit - 1].id) if len(entries) > limit else None
