"""What a viewer sets for the feed, and the topics to choose from."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.requests import Request

from reelm import feed
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.web.viewer import Viewer

Slider = Annotated[float, Meta(ge=0, le=1, description="0 to 1; 0.5 is the middle.")]
Names = Annotated[list[Annotated[str, Meta(max_length=120)]], Meta(max_length=50)]
LanguageChoice = Annotated[
    str, Meta(max_length=35, description="A tag such as en, hi or pt-BR; empty for all.")
]


class FeedSettings(msgspec.Struct, frozen=True):
    """What holds for the viewer now.

    `may_be_profiled` says whether `is_profiled` can be switched on; `reason` says in a sentence
    why it is as it is where that was not the viewer's own choice.
    """

    is_profiled: bool
    may_be_profiled: bool
    reason: str | None
    newness: float
    variety: float
    following: float
    topics: list[str]
    languages: list[str]
    history_paused: bool


class SettingsForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is left out stays, and `is_profiled` null is the default again."""

    is_profiled: bool | UnsetType | None = UNSET
    newness: Slider | UnsetType = UNSET
    variety: Slider | UnsetType = UNSET
    following: Slider | UnsetType = UNSET
    topics: Names | UnsetType = UNSET
    languages: Names | UnsetType = UNSET
    history_paused: bool | UnsetType = UNSET


class TopicCount(msgspec.Struct, frozen=True):
    """A hashtag and how many of the newest public videos have it."""

    tag: str
    videos: int


class LanguageCount(msgspec.Struct, frozen=True):
    """A language and how many of the newest public videos are in it."""

    language: str
    videos: int


class Topics(msgspec.Struct, frozen=True):
    """What can be chosen, the most used first."""

    topics: list[TopicCount]
    languages: list[LanguageCount]


def read_settings(session: Session, parts: Parts, viewer: Viewer) -> FeedSettings:
    """Read what one has set for the feed."""
    return settings_of(
        feed.feed_settings(session, parts, viewer_id=viewer.id, account_id=viewer.account_id)
    )


def edit_settings(
    session: Session, parts: Parts, viewer: Viewer, body: SettingsForm
) -> FeedSettings:
    """Change what one has set for the feed."""
    change = feed.SettingsChange(**msgspec.structs.asdict(body))
    return settings_of(
        feed.change_settings(
            session, parts, viewer_id=viewer.id, account_id=viewer.account_id, change=change
        )
    )


def list_topics(
    session: Session,
    request: Request,
    language: LanguageChoice = "",
    limit: Annotated[int, Meta(ge=1, le=200)] = 50,
) -> Topics:
    """List the topics that are most used lately, of one language or of all, and the languages."""
    offers: feed.Offers = request.app.state.offers
    offer = offers.topics(session, language)
    return Topics(
        [TopicCount(used.name, used.videos) for used in offer.topics[:limit]],
        [LanguageCount(used.name, used.videos) for used in offer.languages],
    )


def settings_of(found: feed.FeedSettings) -> FeedSettings:
    """Return settings in the shape of the API."""
    return FeedSettings(
        is_profiled=found.is_profiled,
        may_be_profiled=found.may_be_profiled,
        reason=found.reason,
        newness=found.newness,
        variety=found.variety,
        following=found.following,
        topics=list(found.topics),
        languages=list(found.languages),
        history_paused=found.history_paused,
    )
