"""What an uploader says of a video: file name, caption, audience, language."""

import re
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from reelm.foundation.errors import Invalid

Audience = Literal["public", "followers", "unlisted", "private"]
AUDIENCES: tuple[str, ...] = get_args(Audience)

MAX_CAPTION = 2200
# Longest name of Linux and Windows file systems is 255; the rest is room for odd clients.
MAX_FILE_NAME = 1024
# RFC 5646 section 2.1, without its grandfathered and private-use forms.
LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,5}$"

Caption = Annotated[str, Meta(max_length=MAX_CAPTION)]
Language = Annotated[str, Meta(min_length=2, max_length=35, pattern=LANGUAGE)]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The words that came with a file; the file name is never used as a path."""

    file_name: str = ""
    caption: str = ""
    audience: str = "private"
    language: str | None = None
    metadata: str = ""  # the client's own Upload-Metadata, which tus gives back to it


def checked(draft: Draft) -> Draft:
    """Return the draft in its stored form, or refuse it with the reason."""
    if len(draft.file_name) > MAX_FILE_NAME:
        raise Invalid(f"The file name is longer than {MAX_FILE_NAME} characters: shorten it.")
    return msgspec.structs.replace(
        draft,
        caption=checked_caption(draft.caption),
        audience=checked_audience(draft.audience),
        language=checked_language(draft.language) if draft.language else None,
    )


def checked_caption(caption: str) -> str:
    """Return a caption fit to be stored."""
    if len(caption) > MAX_CAPTION:
        raise Invalid(
            f"The caption has {len(caption)} characters; at most {MAX_CAPTION} are allowed."
        )
    # PostgreSQL's text cannot hold NUL, and UTF-8 has no lone surrogates.
    if "\0" in caption or any("\ud800" <= character <= "\udfff" for character in caption):
        raise Invalid("The caption holds a character that is not text: remove it.")
    return caption.strip()


def checked_audience(audience: str) -> str:
    """Return an audience that there is."""
    if audience not in AUDIENCES:
        raise Invalid(f"There is no such audience: choose one of {', '.join(AUDIENCES)}.")
    return audience


def checked_language(language: str) -> str:
    """Return a language tag in its usual case: en, pt-BR, zh-Hant."""
    if len(language) > 35 or not re.match(LANGUAGE, language):
        raise Invalid("The language must be a tag such as en, hi or pt-BR.")
    first, *rest = language.split("-")
    return "-".join([first.lower(), *map(_subtag, rest)])


def _subtag(subtag: str) -> str:
    # RFC 5646 section 2.1.1
    return {2: subtag.upper(), 4: subtag.title()}.get(len(subtag), subtag.lower())
