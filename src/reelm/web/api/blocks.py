"""Blocks between accounts."""

import msgspec

from reelm import accounts, social
from reelm.foundation.database import Session
from reelm.web.api.me import account_id_of
from reelm.web.api.paging import Cursor, PageSize, cursor_after, number_of
from reelm.web.api.shapes import Creator, creator_of
from reelm.web.viewer import Viewer


class Blocked(msgspec.Struct, frozen=True):
    """Accounts that one has blocked; one that is withheld has an id and no handle."""

    accounts: list[Creator]
    cursor: str | None


def block(session: Session, viewer: Viewer, handle: str) -> None:
    """Block an account; ends follows both ways."""
    social.block(session, account_id_of(viewer), accounts.account_named(session, handle))


def unblock(session: Session, viewer: Viewer, handle: str) -> None:
    """Lift a block."""
    social.unblock(session, account_id_of(viewer), accounts.account_named(session, handle))


def unblock_listed(session: Session, viewer: Viewer, account_id: int) -> None:
    """Lift a block by the id in the list of blocks; where there is none, nothing happens."""
    social.unblock(session, account_id_of(viewer), account_id)


def blocked_accounts(
    session: Session, viewer: Viewer, cursor: Cursor | None = None, limit: PageSize = 30
) -> Blocked:
    """List the accounts that one has blocked."""
    people = social.blocked_accounts(
        session,
        account_id_of(viewer),
        limit=limit + 1,
        after=number_of(cursor),
        country=viewer.country,
    )
    return Blocked([creator_of(p) for p in people[:limit]], cursor_after(people, limit))
