"""The signed-in account: profile, picture, password, recovery codes, export, erasure."""

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.responses import StreamingResponse

from reelm import accounts, regions, social, videos
from reelm.feed.live import LiveFeed
from reelm.foundation.clock import now
from reelm.foundation.database import Session
from reelm.foundation.errors import Unauthenticated
from reelm.foundation.parts import Parts
from reelm.web.api.reasons import model_file
from reelm.web.viewer import Cookies, Viewer

DisplayName = Annotated[str, Meta(max_length=100, description="At most 50 characters.")]
LanguageTag = Annotated[str, Meta(max_length=35, description="A tag such as en, hi or pt-BR.")]
PasswordText = Annotated[str, Meta(max_length=1000, description="A password.")]


class Me(msgspec.Struct, frozen=True):
    """The signed-in account."""

    id: str
    handle: str
    display_name: str
    bio: str
    links: list[str]
    language: str | None
    is_private: bool
    role: str | None
    avatar_url: str | None
    birth_date: date | None
    created_at: datetime
    recovery_codes_left: int


class ProfileForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; what is left out stays."""

    display_name: DisplayName | UnsetType = UNSET
    bio: Annotated[str, Meta(max_length=1000)] | UnsetType = UNSET
    links: (
        Annotated[list[Annotated[str, Meta(max_length=500)]], Meta(max_length=20)] | UnsetType
    ) = UNSET
    is_private: bool | UnsetType = UNSET
    language: LanguageTag | UnsetType | None = UNSET


class PasswordForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password that works now, and the one that shall."""

    current_password: PasswordText
    new_password: PasswordText


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The password, asked again before what cannot be undone."""

    password: PasswordText


class RecoveryCodes(msgspec.Struct, frozen=True):
    """New recovery codes, shown this once."""

    recovery_codes: list[str]


class Erased(msgspec.Struct, frozen=True):
    """When the account was erased, and when the last backup that holds it ends.

    Where the region has just been sealed for its buyer, neither is known yet: `detail` says so.
    """

    erased_at: datetime | None
    complete_at: datetime | None
    detail: str


def me(session: Session, parts: Parts, viewer: Viewer) -> Me:
    """Read one's own account."""
    return me_of(accounts.my_account(session, parts, account_id_of(viewer)))


def edit_me(session: Session, parts: Parts, viewer: Viewer, body: ProfileForm) -> Me:
    """Change one's profile."""
    edit = accounts.ProfileEdit(**msgspec.structs.asdict(body))
    accounts.edit_profile(session, acting_account(session, viewer), edit)
    if body.is_private is False:
        social.accept_all_requests(session, account_id_of(viewer))
    return me(session, parts, viewer)


def put_avatar(session: Session, parts: Parts, viewer: Viewer, body: bytes) -> Me:
    """Set one's picture from a JPEG, PNG or WebP."""
    account_id = acting_account(session, viewer)
    accounts.set_avatar(session, account_id, videos.store_avatar(parts, body))
    return me(session, parts, viewer)


def delete_avatar(session: Session, viewer: Viewer) -> None:
    """Remove one's picture."""
    accounts.set_avatar(session, account_id_of(viewer), None)


def put_password(session: Session, parts: Parts, viewer: Viewer, body: PasswordForm) -> None:
    """Change the password; ends all other sessions."""
    accounts.change_password(
        session,
        parts,
        account_id_of(viewer),
        current_password=body.current_password,
        new_password=body.new_password,
        keep_session_id=viewer.session_id,
    )


def make_recovery_codes(
    session: Session, parts: Parts, viewer: Viewer, body: Confirmation
) -> RecoveryCodes:
    """Make ten new recovery codes; the old ones stop working."""
    account_id = account_id_of(viewer)
    return RecoveryCodes(accounts.renew_codes(session, parts, account_id, password=body.password))


def export_me(session: Session, parts: Parts, viewer: Viewer, live: LiveFeed) -> StreamingResponse:
    """Download everything that the region holds of one's account, as a zip."""
    account_id = account_id_of(viewer)
    accounts.count_try(parts, accounts.EXPORT_ACCOUNT, account_id)
    name = f"{accounts.handle_of(session, account_id)}-{now():%Y-%m-%d}.zip"
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
    }
    more = {"feed-model.json": model_file(session, parts, viewer, live)}
    return StreamingResponse(
        accounts.export_account(parts, account_id, more),
        media_type="application/zip",
        headers=headers,
    )


def erase_me(
    session: Session, parts: Parts, viewer: Viewer, cookies: Cookies, body: Confirmation
) -> Erased:
    """Erase one's account, its videos and everything else of it."""
    account_id = account_id_of(viewer)
    accounts.confirm_password(session, parts, account_id, body.password)
    begun = accounts.ask_to_erase(session, parts, account_id)
    cookies.sign_out()
    if begun is None:
        return Erased(None, None, ERASED_LATER)
    return Erased(begun.erased_at, begun.complete_at, _erasure_sentence(begun.complete_at))


def me_of(account: accounts.MyAccount) -> Me:
    """Return an account in the shape of the API."""
    fields = msgspec.structs.asdict(account)
    return Me(id=str(fields.pop("account_id")), **fields)


def account_id_of(viewer: Viewer) -> int:
    """Return the viewer's account id where the route has asked for one."""
    if viewer.account_id is None:
        raise Unauthenticated("Sign in first.")
    return viewer.account_id


def acting_account(session: Session, viewer: Viewer) -> int:
    """Return the viewer's account id for an act that others see.

    Raises:
        LegallyWithheld: an order suspends the account where the viewer is.
        Gone: a decision suspends it.
    """
    account_id = account_id_of(viewer)
    by = regions.withheld_by(session, viewer.country, [account_id])
    if by:
        raise regions.refusal("Your account", by)
    return account_id


ERASED_LATER = (
    "The service is being handed over to another operator just now. You are signed out everywhere, "
    "and your account is erased as soon as that has ended, by whoever runs the service then."
)


def _erasure_sentence(complete_at: datetime | None) -> str:
    # The same for everybody, so that it does not tell of an order that may not be told of.
    done = (
        "Your account is closed, its videos are being removed and its key is destroyed; what the "
        "law obliges the service to keep is sealed apart first."
    )
    if complete_at is None:
        return f"{done} Backups still hold the destroyed key until the operator's last one ends."
    return (
        f"{done} The last backup that still holds the destroyed key ends on {complete_at:%Y-%m-%d}."
    )
