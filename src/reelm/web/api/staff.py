"""The staff themselves: roles and second factors, purposes of reading, and who read what."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from reelm import accounts, audit
from reelm.foundation.database import Session
from reelm.foundation.errors import Unauthenticated
from reelm.foundation.parts import Parts
from reelm.web.api.me import account_id_of
from reelm.web.api.paging import Cursor, PageSize, cursor_after, number_of
from reelm.web.viewer import Viewer


class StaffAccount(msgspec.Struct, frozen=True):
    """An account with a role."""

    id: str
    handle: str
    role: str
    second_factor: str


class StaffList(msgspec.Struct, frozen=True):
    """All staff, by role."""

    accounts: list[StaffAccount]


class RoleForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The role to give; null takes it away."""

    role: Annotated[str, Meta(max_length=20)] | None


class PurposeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For what one reads people's data; the note is kept sealed and out of the log."""

    purpose: audit.Purpose
    note: Annotated[str, Meta(max_length=500)] = ""


class PurposeSaid(msgspec.Struct, frozen=True):
    """The purpose that holds now in this session."""

    id: str
    purpose: str
    ends_at: datetime


class AccessRow(msgspec.Struct, frozen=True):
    """One reading of people's data; the public log holds of some a commitment only."""

    id: str
    at: datetime
    reader_id: str
    reader: str | None
    role: str
    purpose: str
    country: str | None
    what: str
    subject_ids: list[str]
    is_published: bool


class AccessLog(msgspec.Struct, frozen=True):
    """Readings, the newest first."""

    readings: list[AccessRow]
    cursor: str | None


def list_staff(session: Session) -> StaffList:
    """List the accounts that have a role."""
    return StaffList(
        [
            StaffAccount(str(one.account_id), one.handle, one.role, one.second_factor)
            for one in accounts.list_staff(session)
        ]
    )


def put_role(session: Session, viewer: Viewer, handle: str, body: RoleForm) -> None:
    """Give an account a role, or take it away; it signs in again."""
    accounts.set_role(session, handle=handle, role=body.role, by=account_id_of(viewer))


def end_second_factor(session: Session, viewer: Viewer, handle: str) -> None:
    """End the second factor of one of the staff who has lost the device."""
    accounts.end_second_factor(session, handle=handle, by=account_id_of(viewer))


def say_purpose(session: Session, parts: Parts, viewer: Viewer, body: PurposeForm) -> PurposeSaid:
    """Say for what one reads people's data; it holds for an hour in this session."""
    if viewer.session_id is None:
        raise Unauthenticated("Sign in first.")
    said = accounts.say_purpose(
        session,
        parts,
        account_id_of(viewer),
        session_id=viewer.session_id,
        purpose=body.purpose,
        note=body.note,
    )
    return PurposeSaid(str(said.purpose_id), said.purpose, said.ends_at)


def access_log(
    session: Session,
    cursor: Cursor | None = None,
    reader: Annotated[str, Meta(max_length=64, description="Only of this handle.")] = "",
    limit: PageSize = 50,
) -> AccessLog:
    """List who of the staff read what, when, for what and from where."""
    found = accounts.readings(
        session, before=number_of(cursor), reader=reader or None, limit=limit + 1
    )
    rows = [
        AccessRow(
            id=str(one.id),
            at=one.at,
            reader_id=str(one.reader_id),
            reader=one.handle,
            role=one.role,
            purpose=one.purpose,
            country=one.country,
            what=one.what,
            subject_ids=list(one.subject_ids),
            is_published=one.is_published,
        )
        for one in found[:limit]
    ]
    return AccessLog(rows, cursor_after(found, limit))
