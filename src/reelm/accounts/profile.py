"""Profiles: what an account says of itself."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from reelm.accounts.models import Account
from reelm.accounts.wording import one_line, paragraphs
from reelm.foundation.errors import Gone, Invalid

MOST_NAME, MOST_BIO, MOST_LINKS, MOST_LINK = 50, 300, 5, 200
# Language, script, region and variants (RFC 5646 section 2.1, without its rarer forms).
_LANGUAGE = re.compile(
    r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-(?:[A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{5,8})*"
)


class ProfileEdit(msgspec.Struct, frozen=True, kw_only=True):
    """What to change; what is unset stays."""

    display_name: str | UnsetType = UNSET
    bio: str | UnsetType = UNSET
    links: list[str] | UnsetType = UNSET
    is_private: bool | UnsetType = UNSET
    language: str | UnsetType | None = UNSET


def edit_profile(session: Session, account_id: int, edit: ProfileEdit) -> None:
    """Change what the account says of itself.

    Raises:
        Invalid: says which field is wrong and what would be right.
    """
    account = active_account(session, account_id)
    if edit.display_name is not UNSET:
        name = edit.display_name.strip() or account.handle
        account.display_name = check_display_name(name)
    if edit.bio is not UNSET:
        account.bio = paragraphs(edit.bio, what="bio", most=MOST_BIO)
    if edit.links is not UNSET:
        account.links = _checked_links(edit.links)
    if edit.is_private is not UNSET:
        account.is_private = edit.is_private
    if edit.language is not UNSET:
        account.language = check_language(edit.language) if edit.language else None
    session.flush()


def set_avatar(session: Session, account_id: int, avatar_object: str | None) -> None:
    """Show this object as the account's picture, or none.

    The object that it showed before is removed by the sweeper, as others may show the same.
    """
    active_account(session, account_id).avatar_object = avatar_object
    session.flush()


def avatar_object(session: Session, account_id: int) -> str | None:
    """Return the key of the account's picture, or None."""
    return session.scalar(
        select(Account.avatar_object).where(Account.id == account_id, Account.state == "active")
    )


def avatar_url(account_id: int, avatar_object: str | None) -> str | None:
    """Return the address of an account's picture; it changes with the picture."""
    if avatar_object is None:
        return None
    return f"/avatars/{account_id}/{avatar_object.rsplit('/', 1)[-1][:8]}.jpg"


def handle_of(session: Session, account_id: int) -> str:
    """Return the handle of an account.

    Raises:
        Gone: it is being erased.
    """
    return active_account(session, account_id).handle


def handles_of(session: Session, account_ids: Iterable[int]) -> dict[int, str]:
    """Return the handles of those of these accounts that are active, by their ids."""
    rows = session.execute(
        select(Account.id, Account.handle).where(
            Account.id.in_(set(account_ids)), Account.state == "active"
        )
    )
    return {row.id: row.handle for row in rows}


def check_display_name(text: str) -> str:
    """Return a display name as it will be shown, or raise Invalid."""
    return one_line(text, what="display name", most=MOST_NAME)


def check_language(tag: str) -> str:
    """Return a language tag in its usual letter case, or raise Invalid."""
    if len(tag) > 35 or not _LANGUAGE.fullmatch(tag):
        raise Invalid("The language must be a tag such as en, hi or pt-BR.")
    first, *rest = tag.split("-")
    return "-".join([first.lower(), *map(_subtag, rest)])


def _subtag(part: str) -> str:
    if len(part) == 4:
        return part.title()
    return part.upper() if len(part) <= 3 else part.lower()


def _checked_links(links: list[str]) -> list[str]:
    if len(links) > MOST_LINKS:
        raise Invalid(f"A profile has at most {MOST_LINKS} links.")
    return [_checked_link(link) for link in links]


def _checked_link(link: str) -> str:
    wrong = Invalid(f"The link {link[:60]!r} must begin with https:// or http:// and name a site.")
    text = one_line(link, what="link", most=MOST_LINK)
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise wrong from None
    spoofed = "@" in parts.netloc or "\\" in text or any(sign.isspace() for sign in text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or spoofed:
        raise wrong
    return text


def active_account(session: Session, account_id: int) -> Account:
    """Return the row of an account that is not being erased, or raise Gone."""
    account = session.get(Account, account_id)
    if account is None or account.state != "active":
        raise Gone("This account was erased.")
    return account
