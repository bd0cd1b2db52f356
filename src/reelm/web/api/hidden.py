"""What a viewer does not want to meet in the feed."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from reelm import feed
from reelm.feed.live import Outbox
from reelm.foundation.database import Session
from reelm.foundation.errors import Invalid
from reelm.foundation.parts import Parts
from reelm.web.api.paging import PageSize, number_of
from reelm.web.endpoint import Id
from reelm.web.viewer import Viewer

Subject = Annotated[
    str, Meta(min_length=1, max_length=120, description="An id, or a hashtag without #.")
]
HiddenCursor = Annotated[str, Meta(max_length=600, description="Of the page before.")]


class HideForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to hide; a video hidden is "not interested". `video_id` is where it was said."""

    kind: feed.HiddenKind
    subject: Subject
    video_id: Id | None = None


class HiddenEntry(msgspec.Struct, frozen=True):
    """Something hidden; `url` is its page where it can still be seen."""

    kind: feed.HiddenKind
    subject: str
    name: str
    url: str | None
    created_at: datetime


class HiddenPage(msgspec.Struct, frozen=True):
    """What is hidden, the newest first; the cursor leads to older ones."""

    hidden: list[HiddenEntry]
    cursor: str | None


def hide(
    session: Session, parts: Parts, viewer: Viewer, outbox: Outbox, body: HideForm
) -> HiddenEntry:
    """Hide a video, creator, hashtag or sound from one's feed; again changes nothing."""
    entry, signals = feed.hide(
        session,
        parts,
        viewer_id=viewer.id,
        account_id=viewer.account_id,
        country=viewer.country,
        kind=body.kind,
        subject=body.subject,
        video_id=number_of(body.video_id) or 0,
    )
    outbox.need(*signals)
    return entry_of(entry)


def show_again(
    session: Session, viewer: Viewer, outbox: Outbox, kind: feed.HiddenKind, subject: Subject
) -> None:
    """Take a hiding back; where there was none, nothing happens."""
    outbox.need(*feed.show_again(session, viewer_id=viewer.id, kind=kind, subject=subject))


def list_hidden(
    session: Session,
    viewer: Viewer,
    cursor: HiddenCursor | None = None,
    limit: PageSize = 30,
) -> HiddenPage:
    """List what one has hidden."""
    found = feed.hidden(
        session,
        viewer_id=viewer.id,
        account_id=viewer.account_id,
        country=viewer.country,
        limit=limit + 1,
        after=None if cursor is None else _after(cursor),
    )
    last = found[limit - 1] if len(found) > limit else None
    return HiddenPage([entry_of(entry) for entry in found[:limit]], _cursor(last))


def entry_of(entry: feed.Hidden) -> HiddenEntry:
    """Return something hidden in the shape of the API."""
    return HiddenEntry(entry.kind, entry.subject, entry.name, entry.url, entry.created_at)


def _cursor(last: feed.Hidden | None) -> str | None:
    if last is None:
        return None
    return urlsafe_b64encode(
        msgspec.json.encode((last.created_at, last.kind, last.subject))
    ).decode()


def _after(cursor: str) -> feed.After:
    try:
        plain = urlsafe_b64decode(cursor.encode("ascii"))
        at, kind, subject = msgspec.json.decode(plain, type=tuple[datetime, str, str])
    except ValueError:
        sentence = "The cursor is not one that was given out here; ask again without it."
        raise Invalid(sentence) from None
    if "\x00" in kind + subject or at.tzinfo is None:
        raise Invalid("The cursor is not one that was given out here; ask again without it.")
    return feed.After(at, kind, subject)
