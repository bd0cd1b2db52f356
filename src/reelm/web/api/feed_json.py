"""The JSON of a page of the feed, from pieces that are kept.

What a card says is the same for all viewers but for a few fields (social.Glance). Its JSON is made
once by the same structs as everywhere, cut at those fields, and put together anew for each page.
"""

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from reelm import social
from reelm.web.api.shapes import FeedVideo, video_of

# As many as there are cards in memory; 1.6 kB each.
MOST_KEPT = 8_192
_JSON = {None: b"null", False: b"false", True: b"true"}
# Raw quotes stand around names only, so none of these can be part of a text that somebody wrote.
_FOLLOWED, _TOTALS = b'"is_followed":null', b'"likes":0,"comments":0,"views":0,"is_liked":false'
_SOURCE = b'"source":""'


class _Pieces(NamedTuple):
    before_followed: bytes
    before_totals: bytes
    before_source: bytes
    after_source: bytes


_keeping = threading.Lock()
_kept: dict[int, tuple[social.Card, _Pieces]] = {}


def page_json(
    glances: Sequence[social.Glance], sources: Mapping[int, str], **fields: object
) -> bytes:
    """Return a page: its videos and the other fields of it."""
    videos = b",".join([video_json(glance, sources[glance.kept.id]) for glance in glances])
    return b'{"videos":[' + videos + b"]," + msgspec.json.encode(fields)[1:]


def video_json(glance: social.Glance, source: str) -> bytes:
    """Return what `FeedVideo` is for a viewer."""
    if glance.is_mine:
        return msgspec.json.encode(feed_video(glance.card, source))
    kept = _kept.get(glance.kept.id)
    if kept is None or kept[0] is not glance.kept:
        kept = _keep(glance.kept)
    pieces = kept[1]
    return b'%b"is_followed":%b%b"likes":%d,"comments":%d,"views":%d,"is_liked":%b%b%b%b' % (
        pieces.before_followed,
        _JSON[glance.is_followed],
        pieces.before_totals,
        glance.likes,
        glance.comments,
        glance.views,
        _JSON[glance.is_liked],
        pieces.before_source,
        _quoted(source),
        pieces.after_source,
    )


def feed_video(card: social.Card, source: str) -> FeedVideo:
    """Return the shape of a video in the feed."""
    video = video_of(card)
    fields = {name: getattr(video, name) for name in video.__struct_fields__}
    return FeedVideo(**fields, source=source)


def _keep(card: social.Card) -> tuple[social.Card, _Pieces]:
    whole = msgspec.json.encode(feed_video(card, ""))
    before_followed, _, rest = whole.partition(_FOLLOWED)
    before_totals, _, rest = rest.partition(_TOTALS)
    before_source, _, after_source = rest.partition(_SOURCE)
    pieces = _Pieces(before_followed, before_totals, before_source + b'"source":', after_source)
    with _keeping:
        if len(_kept) >= MOST_KEPT:
            del _kept[next(iter(_kept))]
        _kept[card.id] = kept = card, pieces
    return kept


@lru_cache(maxsize=64)
def _quoted(source: str) -> bytes:
    return msgspec.json.encode(source)
