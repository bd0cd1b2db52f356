"""How the feed decides: the weights, why one sees a video, and all that the model holds of one."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from reelm import feed, social
from reelm.feed.live import LiveFeed
from reelm.foundation.database import Session
from reelm.foundation.errors import Unavailable
from reelm.foundation.parts import Parts
from reelm.web.api.feed import FeedTab, Topic
from reelm.web.api.feed_settings import FeedSettings, LanguageChoice, settings_of
from reelm.web.api.hidden import HiddenEntry, entry_of
from reelm.web.viewer import Viewer

# As many as one page of the export holds whole.
MOST_HIDDEN = 10_000
# What each part of the ranker's `known_of` is, for whoever opens the file.
ABOUT = {
    "last_active_ms": "When you last watched something, in milliseconds since 1970.",
    "seen": "Ids of the videos that you were given, so that none comes twice; oldest first.",
    "watched_lately": "Ids of the videos that you watched last.",
    "watched_long_or_liked_lately": "Ids of those that you watched long or liked.",
    "leaning_to_topics": "How much you lean to each hashtag; below 0 you swipe it away.",
    "leaning_to_creators": "How much you lean to each creator, by id; below 0 you swipe away.",
    "interest_vector": "Where your taste stands among all videos; near numbers are alike, and no "
    "single one has a meaning.",
    "hidden": "Numbers of what you hid, as the ranker keeps them; names are under hidden above.",
    "habits": "How you watch: how far your latest watches were from what was expected, and the "
    "means of what you were shown.",
    "effects": "Corrections to what is expected of everybody that hold for you: for you in all, "
    "for a topic, a creator, a length, a place or a video; in log-odds.",
    "awaiting_outcome": "Videos that you were shown and that are not learned from yet, with the "
    "numbers by which each was judged.",
}

UnprofiledSource = Annotated[
    Literal["popular", "new", "rest"],
    Meta(description="Of the popular tab: the `source` that the feed gave with the video."),
]


class Part(msgspec.Struct, frozen=True):
    """A part of the score: what it is, what it counts, and why."""

    name: str
    weight: float
    words: str
    why: str


class Slot(msgspec.Struct, frozen=True):
    """Places kept for a source: their share of all places, and why."""

    source: str
    share: float
    words: str
    why: str


class Source(msgspec.Struct, frozen=True):
    """A way by which a video becomes a candidate."""

    name: str
    words: str


class Weights(msgspec.Struct, frozen=True):
    """All by which the feed decides; the score is the sum of weight times part."""

    parts: list[Part]
    slots: list[Slot]
    sources: list[Source]


class Reason(msgspec.Struct, frozen=True):
    """A part of the score of one video, and its share of all parts; below 0 it spoke against."""

    name: str
    words: str
    share: float


class Why(msgspec.Struct, frozen=True):
    """Why one sees a video, in a sentence and in parts, the strongest first."""

    sentence: str
    source: str | None
    source_words: str | None
    is_profiled: bool
    reasons: list[Reason]


class Model(msgspec.Struct, frozen=True):
    """All that the feed holds of one: what was chosen, and what was learned.

    `about` says in a sentence what each part of `model` is.
    """

    viewer_id: str
    settings: FeedSettings
    hidden: list[HiddenEntry]
    about: dict[str, str]
    model: dict[str, Any]


def weights() -> Weights:
    """Read the weights by which the feed decides."""
    return Weights(
        [Part(p.name, p.weight, p.words, p.why) for p in feed.HEADS],
        [Slot(s.source, s.share, s.words, s.why) for s in feed.SLOTS],
        [Source(s.name, s.words) for s in feed.SOURCES],
    )


def why(
    session: Session,
    parts: Parts,
    viewer: Viewer,
    live: LiveFeed,
    video_id: int,
    tab: FeedTab = "for_you",
    topic: Topic = "",
    language: LanguageChoice = "",
    source: UnprofiledSource = "popular",
) -> Why:
    """Say why one sees a video."""
    account_id = viewer.account_id
    social.refuse_unwatchable(session, account_id, video_id, viewer.country)
    if tab != "for_you":
        return _why(
            feed.explain_unprofiled(
                source, topic=topic, language=language, is_following=tab == "following"
            )
        )
    settings = feed.feed_settings(session, parts, viewer_id=viewer.id, account_id=account_id)
    if not settings.is_profiled:
        return _why(feed.explain_unprofiled(source, topic=topic, language=language))
    try:
        found = live.why(viewer.id, video_id)
    except Unavailable:
        # What is popular stands in for the feed.
        return _why(feed.explain_unprofiled(source, topic=topic, language=language))
    if found is None:
        return _why(feed.unexplained())
    return _why(feed.explain(found.source, found.reasons))


def model(session: Session, parts: Parts, viewer: Viewer, live: LiveFeed) -> Model:
    """Read everything that the feed holds of one."""
    viewer_id, account_id = viewer.id, viewer.account_id
    settings = feed.feed_settings(session, parts, viewer_id=viewer_id, account_id=account_id)
    hidden = feed.hidden(
        session,
        viewer_id=viewer_id,
        account_id=account_id,
        country=viewer.country,
        limit=MOST_HIDDEN,
    )
    return Model(
        str(viewer_id),
        settings_of(settings),
        [entry_of(entry) for entry in hidden],
        ABOUT,
        live.known_of(viewer_id),
    )


def model_file(session: Session, parts: Parts, viewer: Viewer, live: LiveFeed) -> bytes:
    """Return the file of an export that holds what `model` does, or says why it cannot."""
    try:
        return msgspec.json.format(msgspec.json.encode(model(session, parts, viewer, live)))
    except Unavailable as error:
        # The rows that it was learned from are in the export all the same.
        return msgspec.json.encode({"unavailable": error.sentence})


def _why(found: feed.Explanation) -> Why:
    return Why(
        found.sentence,
        found.source,
        found.source_words,
        found.is_profiled,
        [Reason(r.name, r.words, r.share) for r in found.reasons],
    )
