"""Say in one sentence why somebody sees a video.

It says what the ranker remembers of the choice: the source that brought the video, and the parts
of the score that counted most. A part may name what it was about after a colon, as in
`topic:cooking`. Where nothing is remembered the sentence says so instead of guessing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reelm.feed.weights import HEADS, SOURCES

# More than two reasons make no plain sentence.
MOST_SAID = 2
# What counted less than this share of the strongest part is left out of the sentence.
WORTH_SAYING = 0.2

NOT_REMEMBERED = (
    "This video was not chosen for you by the For You feed lately, so there is no reason to tell."
)
UNKNOWN = "it came out among the best for you by the weights that are on the page about the feed"

_SOURCE: Mapping[str, str] = {
    "interest": "you watched videos{about} long lately",
    "chosen": "it is about a topic that you chose",
    "neighbours": "people who watched the same videos{about} long as you did watched this one too",
    "popular": "many people watch it long now",
    "following": "you follow its creator",
    "new": "it is new, and some places are kept for videos that have had no fair trial yet",
    "rest": "nothing that fits you better was left, and it is among the newest of the rest",
    "own": "it is your own newest video, which you meet in the feed once",
    "again": "you have seen everything, and this is among the ones that you saw longest ago",
}
# How a part of the score is said when it spoke for the video; what speaks against it is no reason
# to see it.
_PART: Mapping[str, str] = {
    "relevance": "it is near to what you watched long lately",
    "long_view": "you are likely to watch it to its end or for long",
    "watch_share": "you are likely to watch more of it than people watch of videos of its length",
    "like": "you are likely to like it",
    "share_or_follow": "you are likely to share it or to follow its creator",
    "skip": "you are less likely than usual to swipe it away at once",
    "not_interested": "it is hardly like anything that you said did not interest you",
    "topic": "you watched videos with #{subject} long lately, or liked them",
    "creator": "you watched other videos of its creator long, or liked them",
    "beside": "people who watched the same videos long as you did watched this one too",
    "taste": "it is like the videos that you watched long lately",
    "popular": "many people watch it long now",
}
# How the same is said, in the list of reasons, where it spoke against the video.
_AGAINST: Mapping[str, str] = {
    "topic": "You swiped past videos with #{subject} lately",
    "creator": "You swiped past other videos of its creator",
    "beside": "People who watched the same videos as you seldom watched this one",
    "taste": "It is unlike the videos that you watched lately",
    "popular": "Fewer people watch it long now than the others",
}
# Parts that say again what the source has said.
_SAID_BY: Mapping[str, frozenset[str]] = {
    "interest": frozenset({"taste", "relevance", "topic"}),
    "neighbours": frozenset({"beside"}),
    "popular": frozenset({"popular"}),
}
_WORDS: Mapping[str, str] = {
    **{head.name: head.words for head in HEADS},
    **{source.name: source.words for source in SOURCES},
    # Beside a share that is for or against the video, what counts is how unlikely these are.
    "skip": "How unlikely it is that you swipe it away at once",
    "not_interested": "How unlikely it is that it does not interest you",
}


@dataclass(frozen=True)
class Reason:
    """A part of the score: its name, its words, and its share of all parts; below 0 is against."""

    name: str
    words: str
    share: float


@dataclass(frozen=True)
class Explanation:
    """Why somebody sees a video."""

    sentence: str
    is_profiled: bool
    source: str | None = None
    source_words: str | None = None
    reasons: tuple[Reason, ...] = ()


def explain(source: str, reasons: Sequence[tuple[str, float]]) -> Explanation:
    """Return why the ranker gave a video out.

    Args:
        source: the candidate source that brought it.
        reasons: names of the parts of the score, with what each added.
    """
    whole = sum(abs(amount) for _, amount in reasons) or 1.0
    strongest = sorted(reasons, key=lambda reason: abs(reason[1]), reverse=True)
    return Explanation(
        sentence=_sentence(_clauses(source, strongest)),
        is_profiled=True,
        source=source,
        source_words=_WORDS.get(source, source),
        reasons=tuple(
            Reason(name, _words(name, is_against=amount < 0), amount / whole)
            for name, amount in strongest
        ),
    )


def explain_unprofiled(
    source: str, *, topic: str = "", language: str = "", is_following: bool = False
) -> Explanation:
    """Return why the non-profiled feed gave a video out: nothing about the viewer was used."""
    asked = f" with #{topic}" if topic else ""
    asked += f" in the language you chose ({language})" if language else ""
    if is_following:
        why, source = "you follow its creator, and these come in the order of time", "following"
    elif source == "new":
        why = f"it is one of the new videos{asked}, and chance gave it one of the places for them"
    elif source == "rest":
        why = f"it comes next in the order of time among the videos{asked}".replace("  ", " ")
    else:
        why, source = (
            f"it is one of the videos{asked} that most people watch to the end now",
            ("popular"),
        )
    used = "nothing else about you" if topic or language or is_following else "nothing about you"
    return Explanation(
        sentence=f"You see this because {why}; {used} was used to choose it.",
        is_profiled=False,
        source=source,
        source_words=_WORDS.get(source, source),
    )


def unexplained() -> Explanation:
    """Return what is said of a video that the ranker did not give out, or forgot that it did."""
    return Explanation(NOT_REMEMBERED, is_profiled=True)


def _sentence(clauses: Sequence[str]) -> str:
    first, *others = clauses
    also = " and ".join(f"that {other}" for other in others)
    return f"You see this because {first}{'; it also counted ' if also else ''}{also}."


def _clauses(source: str, strongest: Sequence[tuple[str, float]]) -> list[str]:
    first, said = _SOURCE.get(source), _SAID_BY.get(source, frozenset())
    clauses = [] if first is None else [first.format(about=_about(source, strongest))]
    least = WORTH_SAYING * max((amount for _, amount in strongest), default=0.0)
    for name, amount in strongest:
        part, _, subject = name.partition(":")
        words = _PART.get(part)
        if amount <= 0 or amount < least or words is None or part in said:
            continue
        if "{subject}" in words and not subject:
            continue
        clauses.append(words.format(subject=subject))
    return clauses[: MOST_SAID + 1] or [UNKNOWN]


def _about(source: str, strongest: Sequence[tuple[str, float]]) -> str:
    for name, amount in strongest:
        part, _, subject = name.partition(":")
        if part == "topic" and subject and amount > 0:
            return f" with #{subject}"
    return " like this one" if source == "interest" else ""


def _words(name: str, *, is_against: bool = False) -> str:
    part, _, subject = name.partition(":")
    if is_against and part in _AGAINST:
        return _AGAINST[part].format(subject=subject)
    if part in _WORDS:
        return _WORDS[part]
    words = _PART.get(part, part).format(subject=subject)
    return words[:1].upper() + words[1:]
