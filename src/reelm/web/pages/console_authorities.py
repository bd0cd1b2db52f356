"""The console's page of the authorities that may order here: registered, corrected, ended."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reelm import accounts, regions
from reelm.foundation.database import Session
from reelm.foundation.errors import Invalid, ReelmError
from reelm.regions import orders
from reelm.web.errors import STATUS
from reelm.web.rendering import page
from reelm.web.viewer import Viewer

Fields = dict[str, str]


def show(request: Request, session: Session, viewer: Viewer) -> Response:
    """Show who may order here, and with which keys."""
    return _page(request, session, viewer)


def add(request: Request, session: Session, viewer: Viewer, form: Fields) -> Response:
    """Register an authority."""
    return _changed(
        request, session, viewer, lambda: orders.add_authority(session, _new(form)), form
    )


def change(
    request: Request, session: Session, viewer: Viewer, authority_id: int, form: Fields
) -> Response:
    """Correct what is registered of an authority."""
    return _changed(
        request,
        session,
        viewer,
        lambda: orders.change_authority(session, authority_id, _change(form)),
        form,
        about=authority_id,
    )


def end(
    request: Request, session: Session, viewer: Viewer, authority_id: int, form: Fields
) -> Response:
    """End an authority for good."""

    def ended() -> None:
        """End it where the box is ticked."""
        if form.get("sure") != "yes":
            raise Invalid("Tick the box: an authority that has ended does not come back.")
        orders.end_authority(session, authority_id)

    return _changed(request, session, viewer, ended)


def set_recipient(
    request: Request, session: Session, viewer: Viewer, authority_id: int, form: Fields
) -> Response:
    """Say to which age recipient disclosures to an authority are encrypted from now on."""
    recipient = form.get("recipient", "")
    return _changed(
        request, session, viewer, lambda: orders.set_recipient(session, authority_id, recipient)
    )


def add_key(
    request: Request, session: Session, viewer: Viewer, authority_id: int, form: Fields
) -> Response:
    """Give an authority one more key."""
    public_key = form.get("public_key", "")
    return _changed(
        request, session, viewer, lambda: orders.add_key(session, authority_id, public_key)
    )


def revoke_key(
    request: Request, session: Session, viewer: Viewer, authority_id: int, form: Fields
) -> Response:
    """Take a key away from an authority; the page says where too few are left."""
    key_id = form.get("key_id", "")
    return _changed(
        request, session, viewer, lambda: orders.revoke_key(session, authority_id, key_id)
    )


def listed_authorities(session: Session) -> list[dict[str, Any]]:
    """Return the authorities for a template: ids as text, and what there is to warn of."""
    return [
        {**msgspec.to_builtins(one), "id": str(one.id), "warning": one.warning}
        for one in orders.authorities(session)
    ]


def _changed(
    request: Request,
    session: Session,
    viewer: Viewer,
    act: Callable[[], object],
    values: Fields | None = None,
    about: int | None = None,
) -> Response:
    """Change what is known of an authority; show the list again, or the form with the error."""
    try:
        with session.begin_nested():
            act()
    except ReelmError as error:
        return _page(request, session, viewer, values, about, error)
    return RedirectResponse("/console/authorities", 303)


def _new(form: Fields) -> orders.NewAuthority:
    return orders.NewAuthority(
        name=form.get("name", ""),
        powers=_powers(form),
        keys=form.get("keys", "").split(),
        threshold=_threshold(form),
        objections=form.get("objections", ""),
        country=_country(form) or None,
        recipient=form.get("recipient", "").strip() or None,
    )


def _change(form: Fields) -> orders.AuthorityChange:
    return orders.AuthorityChange(
        name=form.get("name", ""),
        powers=_powers(form),
        threshold=_threshold(form),
        objections=form.get("objections", ""),
        country=_country(form),
    )


def _powers(form: Fields) -> list[str]:
    return [power for power in orders.POWERS if f"power_{power}" in form]


def _threshold(form: Fields) -> int:
    text = form.get("threshold", "1")
    if not (text.isascii() and text.isdigit()):
        raise Invalid("The threshold is a number.")
    return int(text[:4])


def _country(form: Fields) -> str:
    return form.get("country", "").strip().upper()


def _page(
    request: Request,
    session: Session,
    viewer: Viewer,
    values: Fields | None = None,
    about: int | None = None,
    error: ReelmError | None = None,
) -> Response:
    return page(
        request,
        viewer,
        "console_authorities.html",
        200 if error is None else STATUS[error.kind],
        authorities=listed_authorities(session),
        powers=orders.POWERS,
        may_keep=accounts.may(viewer.role, accounts.Power.KEEP_AUTHORITIES),
        values=values or {},
        about=None if about is None else str(about),
        region_id=regions.region_id(session),
        error=None if error is None else error.sentence,
    )
