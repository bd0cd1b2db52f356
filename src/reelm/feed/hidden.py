"""What a viewer does not want to meet: a video, a creator, a hashtag or a sound.

A hiding is a wish and not something learned: it is kept until it is taken back, also where the
feed is not profiled or the history is paused.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import delete, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm import social
from reelm.accounts.models import Account
from reelm.feed.models import HiddenSubject
from reelm.feed.settings import refuse_unkept, topic_of
from reelm.feed.signals import Kind, Signal
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.foundation.parts import Parts
from reelm.regions import withheld
from reelm.videos.models import Sound

HiddenKind = Literal["video", "creator", "hashtag", "sound"]

# Somebody who hides one thing each hour of a year stays below it; the ranker holds all of them.
MOST_HIDDEN = 10_000
NOT_AVAILABLE = "(not available)"

_HIDE: Mapping[str, Kind] = {
    "video": Kind.NOT_INTERESTED,
    "creator": Kind.HIDE_CREATOR,
    "hashtag": Kind.HIDE_HASHTAG,
    "sound": Kind.HIDE_SOUND,
}
# There is none for a video: the sign that it did not interest has been given.
_SHOW: Mapping[str, Kind] = {
    "creator": Kind.SHOW_CREATOR,
    "hashtag": Kind.SHOW_HASHTAG,
    "sound": Kind.SHOW_SOUND,
}


@dataclass(frozen=True)
class Hidden:
    """Something hidden, with the name and page under which people know it."""

    kind: HiddenKind
    subject: str
    name: str
    url: str | None
    created_at: datetime


@dataclass(frozen=True)
class After:
    """The last entry of the page before."""

    created_at: datetime
    kind: str
    subject: str


def hide(
    session: Session,
    parts: Parts,
    *,
    viewer_id: int,
    account_id: int | None,
    kind: HiddenKind,
    subject: str,
    video_id: int = 0,
    country: str | None = None,
) -> tuple[Hidden, list[Signal]]:
    """Hide something and return it with the signals to write.

    Hiding again changes nothing but is told again: the time before may not have reached the log.

    Args:
        session: the transaction.
        parts: the open region, whose policy pack may forbid to keep it.
        viewer_id: who hides.
        account_id: the viewer's account, if there is one.
        kind: what is hidden.
        subject: an id as text, or a hashtag.
        video_id: the video at which it was said, if any.
        country: where the viewer is; None where nobody knows.

    Raises:
        Missing: there is no such thing for this viewer.
        Invalid: the subject is no id or no hashtag, or it is the viewer's own account.
        Conflict: too much is hidden.
        Forbidden: nothing may be kept of an anonymous viewer here.
    """
    refuse_unkept(parts, account_id)
    subject = _checked(session, account_id, country, kind, subject)
    _refuse_too_many(session, viewer_id)
    session.execute(
        insert(HiddenSubject)
        .values(viewer_id=viewer_id, kind=kind, subject=subject, created_at=now())
        .on_conflict_do_nothing()
    )
    entry = _entries(session, account_id, country, _rows(session, viewer_id, [(kind, subject)]))[0]
    return entry, [sign_of(viewer_id, kind, subject, video_id)]


def sign_of(viewer_id: int, kind: str, subject: str, video_id: int = 0) -> Signal:
    """Return the signal that something was hidden, at a video if one is named."""
    if kind == "video":
        return Signal(viewer_id, int(subject), _HIDE[kind])
    return Signal(viewer_id, video_id, _HIDE[kind], subject=subject)


def show_again(session: Session, *, viewer_id: int, kind: HiddenKind, subject: str) -> list[Signal]:
    """Take a hiding back and return the signals to write; again changes nothing.

    Raises:
        Invalid: the subject is no id or no hashtag.
    """
    subject = topic_of(subject) if kind == "hashtag" else str(_number(kind, subject))
    session.execute(
        delete(HiddenSubject).where(
            HiddenSubject.viewer_id == viewer_id,
            HiddenSubject.kind == kind,
            HiddenSubject.subject == subject,
        )
    )
    return [Signal(viewer_id, 0, _SHOW[kind], subject=subject)] if kind in _SHOW else []


def hidden(
    session: Session,
    *,
    viewer_id: int,
    account_id: int | None,
    limit: int,
    after: After | None = None,
    country: str | None = None,
) -> list[Hidden]:
    """Return what a viewer has hidden, the newest first."""
    order = (HiddenSubject.created_at, HiddenSubject.kind, HiddenSubject.subject)
    query = select(HiddenSubject).where(HiddenSubject.viewer_id == viewer_id)
    if after is not None:
        last = tuple_(literal(after.created_at), literal(after.kind), literal(after.subject))
        query = query.where(tuple_(*order) < last)
    rows = session.scalars(query.order_by(*(column.desc() for column in order)).limit(limit))
    return _entries(session, account_id, country, rows.all())


def _checked(
    session: Session,
    account_id: int | None,
    country: str | None,
    kind: HiddenKind,
    subject: str,
) -> str:
    if kind == "hashtag":
        return topic_of(subject)
    number = _number(kind, subject)
    if kind == "video":
        social.require_watchable(session, account_id, number, country)
    elif kind == "creator":
        if number == account_id:
            raise Invalid("You cannot hide yourself.")
        _require_creator(session, account_id, number, country)
    elif session.get(Sound, number) is None:
        raise Missing("There is no such sound.")
    return str(number)


def _number(kind: HiddenKind, subject: str) -> int:
    if not (subject.isascii() and subject.isdigit() and 0 < int(subject[:20]) < 1 << 63):
        raise Invalid(f"{subject[:40]!r} is not the id of a {kind}.")
    return int(subject)


def _require_creator(
    session: Session, account_id: int | None, creator_id: int, country: str | None
) -> None:
    handle = session.scalar(
        select(Account.handle).where(Account.id == creator_id, Account.state == "active")
    )
    if handle is None:
        raise Missing("There is no such account.")
    social.account_at(session, account_id, handle, country)


def _refuse_too_many(session: Session, viewer_id: int) -> None:
    # The row past the limit is looked for, so that counting stays bounded.
    past = select(HiddenSubject.kind).where(HiddenSubject.viewer_id == viewer_id)
    if session.scalar(past.offset(MOST_HIDDEN - 1).limit(1)) is not None:
        sentence = f"You have hidden {MOST_HIDDEN:,} things, which is the most; take one back."
        raise Conflict(sentence)


def _rows(
    session: Session, viewer_id: int, named: Iterable[tuple[str, str]]
) -> Sequence[HiddenSubject]:
    key = tuple_(HiddenSubject.kind, HiddenSubject.subject)
    query = select(HiddenSubject).where(HiddenSubject.viewer_id == viewer_id, key.in_(named))
    return session.scalars(query).all()


def _entries(
    session: Session,
    account_id: int | None,
    country: str | None,
    rows: Sequence[HiddenSubject],
) -> list[Hidden]:
    of_kind: dict[str, list[int]] = {name: [] for name in get_args(HiddenKind)}
    for row in rows:
        if row.kind != "hashtag":
            of_kind[row.kind].append(int(row.subject))
    named = {
        **_videos(session, account_id, country, of_kind["video"]),
        **_creators(session, country, of_kind["creator"]),
        **_sounds(session, country, of_kind["sound"]),
    }
    entries = []
    for row in rows:
        name = f"#{row.subject}" if row.kind == "hashtag" else NOT_AVAILABLE
        name, url = named.get((row.kind, row.subject), (name, None))
        kind: HiddenKind = row.kind  # type: ignore[assignment]  # only these are ever written
        entries.append(Hidden(kind, row.subject, name, url, row.created_at))
    return entries


Named = dict[tuple[str, str], tuple[str, str | None]]


def _videos(
    session: Session, account_id: int | None, country: str | None, ids: Sequence[int]
) -> Named:
    return {
        ("video", str(card.id)): (
            card.caption or f"A video of {card.creator.display_name}",
            f"/@{card.creator.handle}/{card.id}",
        )
        for card in social.cards(session, account_id, ids, country)
    }


def _creators(session: Session, country: str | None, ids: Sequence[int]) -> Named:
    query = select(Account.id, Account.display_name, Account.handle)
    query = query.where(Account.id.in_(ids), Account.state == "active")
    query = query.where(~withheld(country, Account.id))
    return {
        ("creator", str(row.id)): (row.display_name or row.handle, f"/@{row.handle}")
        for row in (session.execute(query) if ids else ())
    }


def _sounds(session: Session, country: str | None, ids: Sequence[int]) -> Named:
    query = select(Sound.id, Account.display_name, Account.handle)
    query = query.join(Account, Account.id == Sound.account_id).where(Sound.id.in_(ids))
    query = query.where(~withheld(country, Account.id))
    return {
        ("sound", str(row.id)): (f"Sound of {row.display_name or row.handle}", None)
        for row in (session.execute(query) if ids else ())
    }
