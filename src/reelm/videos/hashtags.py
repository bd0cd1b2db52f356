"""Hashtags in captions: letters, digits and underscores of any script."""

import unicodedata
from collections.abc import Iterator

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from reelm.videos.models import VideoHashtag

MAX_HASHTAGS = 30
MAX_HASHTAG = 100
# Joiners are part of words in Devanagari, Sinhala, Persian and others.
_JOINERS = "\u200c\u200d"


def hashtags(caption: str) -> tuple[str, ...]:
    """Return the hashtags of a caption, folded, each once, in order; at most MAX_HASHTAGS."""
    found: dict[str, None] = {}
    for tag in _written(caption):
        folded = unicodedata.normalize("NFC", tag.strip(_JOINERS).casefold())
        # "#1" is a rank and not a hashtag.
        if len(folded) <= MAX_HASHTAG and any(character.isalpha() for character in folded):
            found[folded] = None
    return tuple(found)[:MAX_HASHTAGS]


def replace_hashtags(session: Session, video_id: int, caption: str) -> None:
    """Make the hashtag rows of a video those of its caption."""
    session.execute(delete(VideoHashtag).where(VideoHashtag.video_id == video_id))
    rows = [{"video_id": video_id, "tag": tag} for tag in hashtags(caption)]
    if rows:
        session.execute(insert(VideoHashtag), rows)


def _written(caption: str) -> Iterator[str]:
    pieces = caption.split("#")
    is_word = _ends_in_word(pieces[0])
    for piece in pieces[1:]:
        end = next((i for i, character in enumerate(piece) if not _is_part(character)), len(piece))
        # After a word a "#" begins nothing, as in C#Major; after a hashtag it begins the next.
        if end and not is_word:
            yield piece[:end]
        is_word = is_word if end == len(piece) > 0 else _ends_in_word(piece)


def _ends_in_word(text: str) -> bool:
    return bool(text) and _is_part(text[-1])


def _is_part(character: str) -> bool:
    # Marks (M) are vowel signs: without them most words of Indian scripts would be cut.
    return character == "_" or character in _JOINERS or unicodedata.category(character)[0] in "LMN"
