"""What a viewer has set for the feed, and whether anything may be learned from the viewer.

Whether the feed is made from what the viewer does: the viewer's own choice comes first, as far as
the policy pack allows it; otherwise the pack's profiling age decides for an account. One that
cannot be told to be old enough, as no birth date is kept, counts as too young for a pack that
states an age. For anonymous viewers the pack says whether there is a feed of theirs at all.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from msgspec import UNSET, UnsetType
from sqlalchemy import ARRAY, BigInteger, any_, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm import accounts, regions
from reelm.feed import models
from reelm.foundation.database.prepared import Prepared, as_array
from reelm.foundation.errors import Forbidden, Invalid
from reelm.foundation.parts import Parts
from reelm.videos.hashtags import hashtags

MIDDLE = 0.5
SLIDERS = ("newness", "variety", "following")
MOST_CHOSEN = 20

NOT_FOR_ANONYMOUS = (
    "This region keeps nothing of people who are not signed in: their feed is the same for all."
)
TOO_YOUNG = "In this region the feed of people under {age} is not made from what they watch."
AGE_UNKNOWN = (
    "In this region the feed is made from what people watch only from the age of {age} on,"
    " and your age is not known."
)
YOUR_CHOICE = "It is so until you choose it."
BY_DEFAULT = "In this region the feed is not made from what you watch unless you choose so."


@dataclass(frozen=True)
class FeedSettings:
    """What holds for a viewer now; sliders go from 0 to 1, and 0.5 is the middle.

    `reason` is one sentence where it is not the viewer's own choice whether the feed is profiled.
    """

    is_profiled: bool = True
    may_be_profiled: bool = True
    reason: str | None = None
    newness: float = MIDDLE
    variety: float = MIDDLE
    following: float = MIDDLE
    topics: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    history_paused: bool = False

    @property
    def may_record(self) -> bool:
        """Whether what the viewer does may be written down and learned from."""
        return self.is_profiled and not self.history_paused


@dataclass(frozen=True, kw_only=True)
class SettingsChange:
    """What to change; what is UNSET stays. `is_profiled` None goes back to the default."""

    is_profiled: bool | UnsetType | None = UNSET
    newness: float | UnsetType = UNSET
    variety: float | UnsetType = UNSET
    following: float | UnsetType = UNSET
    topics: Sequence[str] | UnsetType = UNSET
    languages: Sequence[str] | UnsetType = UNSET
    history_paused: bool | UnsetType = UNSET


@dataclass(frozen=True)
class _Standing:
    """Whether a viewer is profiled unless there is a choice, and whether there may be one."""

    is_profiled: bool = True
    may_choose: bool = True
    reason: str | None = None


def feed_settings(
    session: Session, parts: Parts, *, viewer_id: int, account_id: int | None
) -> FeedSettings:
    """Return what holds for a viewer: the viewer's choices, and elsewhere the defaults."""
    return settings_of(session, parts, [(viewer_id, account_id)])[0]


def settings_of(
    session: Session, parts: Parts, viewers: Sequence[tuple[int, int | None]]
) -> list[FeedSettings]:
    """Return what holds for each viewer, by the viewer's id and account; one query for all."""
    if not viewers:
        return []
    rows = _CHOSEN.rows(session, viewer_ids=as_array(viewer_id for viewer_id, _ in viewers))
    chosen = {row.viewer_id: row for row in rows}
    return [
        _holds(session, parts, account_id, chosen.get(viewer_id))
        for viewer_id, account_id in viewers
    ]


def default_settings(parts: Parts) -> FeedSettings:
    """Return what holds for an anonymous viewer who comes for the first time."""
    if not _pack(parts).anonymous_feed:
        return FeedSettings(is_profiled=False, may_be_profiled=False, reason=NOT_FOR_ANONYMOUS)
    standing = _by_default(_pack(parts))
    return FeedSettings(standing.is_profiled, standing.may_choose, standing.reason)


def _holds(session: Session, parts: Parts, account_id: int | None, row: Any) -> FeedSettings:
    if account_id is None and (row is None or not _pack(parts).anonymous_feed):
        return default_settings(parts)
    standing = _standing(session, parts, account_id)
    if row is None:
        return FeedSettings(standing.is_profiled, standing.may_choose, standing.reason)
    chosen = row.is_profiled if standing.may_choose else None
    return FeedSettings(
        is_profiled=standing.is_profiled if chosen is None else chosen,
        may_be_profiled=standing.may_choose,
        reason=standing.reason if chosen is None else None,
        newness=row.newness,
        variety=row.variety,
        following=row.following,
        topics=tuple(row.topics),
        languages=tuple(row.languages),
        history_paused=row.history_paused,
    )


def change_settings(
    session: Session,
    parts: Parts,
    *,
    viewer_id: int,
    account_id: int | None,
    change: SettingsChange,
) -> FeedSettings:
    """Change what a viewer has set and return what holds now.

    Raises:
        Forbidden: the viewer may not be profiled, or nothing may be kept of an anonymous viewer.
        Invalid: a topic is no hashtag, a language no tag, or there are too many of them.
    """
    now_set = feed_settings(session, parts, viewer_id=viewer_id, account_id=account_id)
    refuse_unkept(parts, account_id)
    if change.is_profiled is True and not now_set.may_be_profiled:
        raise Forbidden(now_set.reason or NOT_FOR_ANONYMOUS)
    values = {name: value for name, value in asdict(change).items() if value is not UNSET}
    if any(not 0 <= values.get(name, MIDDLE) <= 1 for name in SLIDERS):
        raise Invalid(f"{', '.join(SLIDERS)} go from 0 to 1.")
    if "topics" in values:
        values["topics"] = _topics(values["topics"])
    if "languages" in values:
        values["languages"] = _languages(values["languages"])
    if values:
        statement = insert(models.FeedSettings).values(viewer_id=viewer_id, **values)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[models.FeedSettings.viewer_id], set_=values
            )
        )
    return feed_settings(session, parts, viewer_id=viewer_id, account_id=account_id)


def refuse_unkept(parts: Parts, account_id: int | None) -> None:
    """Refuse to keep anything of an anonymous viewer where the policy pack forbids it.

    Raises:
        Forbidden: it does.
    """
    if account_id is None and not _pack(parts).anonymous_feed:
        raise Forbidden(NOT_FOR_ANONYMOUS)


def _standing(session: Session, parts: Parts, account_id: int | None) -> _Standing:
    pack = _pack(parts)
    if account_id is None or pack.profiling_age is None:
        # Of an anonymous viewer nothing outlasts the session; a pack may forbid even that.
        return _by_default(pack)
    age = accounts.age_of(session, parts, account_id)
    if age is not None and age >= pack.profiling_age:
        return _by_default(pack)
    sentence = (AGE_UNKNOWN if age is None else TOO_YOUNG).format(age=pack.profiling_age)
    if pack.young_may_choose_profiling:
        return _Standing(is_profiled=False, reason=f"{sentence} {YOUR_CHOICE}")
    return _Standing(is_profiled=False, may_choose=False, reason=sentence)


def _by_default(pack: regions.PolicyPack) -> _Standing:
    return _Standing() if pack.profiled_by_default else _Standing(False, reason=BY_DEFAULT)


def _pack(parts: Parts) -> regions.PolicyPack:
    return regions.load_pack(parts.settings.region.jurisdiction)


def _topics(told: Sequence[str]) -> list[str]:
    topics = dict.fromkeys(topic_of(topic) for topic in told)
    return _few(list(topics), "topics")


def _languages(told: Sequence[str]) -> list[str]:
    languages = dict.fromkeys(accounts.check_language(language) for language in told)
    return _few([language for language in languages if language], "languages")


def topic_of(text: str) -> str:
    """Return a hashtag as it is kept: folded, and without the sign.

    Raises:
        Invalid: it is not one hashtag.
    """
    found = hashtags("#" + text.removeprefix("#"))
    if len(found) != 1 or len(text.split()) != 1:
        raise Invalid(f"{text[:40]!r} is not a hashtag: letters, digits and underscores make one.")
    return found[0]


def _few(chosen: list[str], what: str) -> list[str]:
    if len(chosen) > MOST_CHOSEN:
        raise Invalid(f"At most {MOST_CHOSEN} {what} can be chosen; these are {len(chosen)}.")
    return chosen


_CHOSEN = Prepared(
    select(
        models.FeedSettings.viewer_id,
        models.FeedSettings.is_profiled,
        models.FeedSettings.newness,
        models.FeedSettings.variety,
        models.FeedSettings.following,
        models.FeedSettings.topics,
        models.FeedSettings.languages,
        models.FeedSettings.history_paused,
    ).where(models.FeedSettings.viewer_id == any_(bindparam("viewer_ids", type_=ARRAY(BigInteger))))
)
