"""What pages show of videos, kept in memory; who may see it is asked of the database each time.

One statement for any number of viewers asks the visibility rule, the totals and what each viewer
did, and beside them the version of the card: the transactions (xmin) that wrote the rows which it
is made of. A card that is kept under that very version is what those rows say. Any other is read
anew, and a video whose rows change between the two is left out: the rule has not been asked of it.

A transaction that has itself changed videos is not to look here: its own rows have one version.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from reelm.accounts.models import Account
from reelm.foundation.database.prepared import Prepared, as_array
from reelm.social.cards import Card, card_columns, card_of, is_liked_by
from reelm.social.for_viewers import Asked, ForViewers
from reelm.social.models import VideoCount
from reelm.social.people import person_columns
from reelm.social.visibility import ViewerAccount, visible_to, with_audience
from reelm.videos.models import CaptionTrack, Rendition, Video

# With four renditions 2.4 kB each by tracemalloc, and 1.6 kB for what the web makes of one.
MOST_CARDS = 8_192

NO_TOTALS: Any = {"likes": 0, "comments": 0, "views": 0}


class Glance(NamedTuple):
    """A video that lists may show to one viewer now.

    `kept` is the card as strangers see it, without totals; the same object as long as nothing in
    it changes, so what is made of it can be kept as well.
    """

    kept: Card
    likes: int
    comments: int
    views: int
    is_liked: bool
    is_followed: bool | None
    is_mine: bool

    @property
    def card(self) -> Card:
        """The card as this viewer sees it."""
        return replace(
            self.kept,
            creator=replace(self.kept.creator, is_followed=self.is_followed),
            likes=self.likes,
            comments=self.comments,
            views=self.views,
            is_liked=self.is_liked,
            is_mine=self.is_mine,
        )


def glances(session: Session, asked: Sequence[Asked]) -> list[list[Glance]]:
    """Return for each viewer those of its videos that lists may show to it.

    They are in the order given. What is asked together costs little more than one alone.
    """
    rows = {
        (row.account_id, row.country, row.video_id): row
        for row in map(_Row._make, _CHANGING.rows(session, asked))
    }
    cards = _cards_for(session.get_bind()).of(
        session, {row.video_id: row.version for row in rows.values()}
    )
    seen = []
    for account_id, video_ids, country in asked:
        found = [rows.get((account_id, country, video_id)) for video_id in video_ids]
        seen.append([
            Glance(card, *row[2:7], card.creator.id == account_id)
            for row in found
            if row is not None and (card := cards.get(row[0])) is not None
        ])  # fmt: skip
    return seen


class _Row(NamedTuple):
    """What `_changing` asks for, how a viewer stands to the video and its creator, and who."""

    video_id: int
    version: str
    likes: int
    comments: int
    views: int
    is_liked: bool
    is_followed: bool | None
    account_id: int | None
    country: str | None


class _Cards:
    """Cards of one database by video, each with the version that it was read under."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[str, Card]] = OrderedDict()

    def of(self, session: Session, versions: dict[int, str]) -> dict[int, Card]:
        """Return the cards of these versions; one that has changed meanwhile is left out."""
        cards, missing = dict[int, Card](), list[int]()
        kept = self._kept
        with self._lock:
            for video_id, version in versions.items():
                one = kept.get(video_id)
                if one is not None and one[0] == version:
                    cards[video_id] = one[1]
                    kept.move_to_end(video_id)
                else:
                    missing.append(video_id)
        for video_id, version, card in self._read(session, missing):
            if version == versions[video_id]:
                cards[video_id] = card
        return cards

    def _read(self, session: Session, video_ids: list[int]) -> list[tuple[int, str, Card]]:
        if not video_ids:
            return []
        rows = _whole().rows(session, video_ids=as_array(video_ids))
        made = [
            (row.video_id, row.version, replace(card_of(row, None), **NO_TOTALS)) for row in rows
        ]
        with self._lock:
            for video_id, version, card in made:
                self._kept[video_id] = version, card
                self._kept.move_to_end(video_id)
            while len(self._kept) > MOST_CARDS:
                self._kept.popitem(last=False)
        return made


_by_database: WeakKeyDictionary[Engine | Connection, _Cards] = WeakKeyDictionary()
_making = threading.Lock()


def _cards_for(bind: Engine | Connection) -> _Cards:
    with _making:
        return _by_database.setdefault(bind, _Cards())


_WANTED = bindparam("video_ids", type_=ARRAY(BigInteger))


@cache
def _whole() -> Prepared:
    return Prepared(
        with_audience(_version().label("version"), *card_columns(None))
        .outerjoin(VideoCount, VideoCount.video_id == Video.id)
        .where(Video.id == any_(_WANTED))
    )


def _changing(viewer: ViewerAccount, country: ColumnElement[Any]) -> Select[Any]:
    counts = (VideoCount.likes, VideoCount.comments, VideoCount.views)
    totals = (func.coalesce(count, 0) for count in counts)
    is_followed = cast(person_columns(viewer)[-1], Boolean)
    columns = (Video.id, _version(), *totals, is_liked_by(viewer), is_followed)
    query = visible_to(viewer, *columns, country=country)
    return query.outerjoin(VideoCount, VideoCount.video_id == Video.id)


def _version() -> Any:
    """Return the text that differs whenever a row that a card is made of was written or deleted."""
    parts = (
        select(cast(func.array_agg(literal_column(f"{part.__tablename__}.xmin")), Text))
        .where(part.video_id == Video.id)
        .scalar_subquery()
        for part in (Rendition, CaptionTrack)
    )
    written: list[Any] = [
        literal_column(f"{whole.__tablename__}.xmin") for whole in (Video, Account)
    ]
    return func.concat_ws("/", *written, *(func.coalesce(part, "{}") for part in parts))


_CHANGING = ForViewers(_changing)
