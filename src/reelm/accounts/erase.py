"""Erase an account.

In the person's own request, or once a handover has ended, the account's key is destroyed, its
sessions end, its profile is blanked and nobody sees it any more. Jobs then remove its videos with
their objects, and last the rows of every table that declares `Erasure.DELETE`. What is left is a
tombstone with the id, and a hash of the handle, so that neither reappears. Each step can be cut
off and done again.

Where a legal order has the account preserved, or disclosed and not copied yet, the rows and the
key wait until the copies are made (sealed_copies.py); nobody but the jobs can see the difference.

Sealed data is unreadable from the first commit on; erasure is complete when the last WAL and
backup that still hold the wrapped key are gone, on the tombstone's `complete_at`.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, delete, select, text, tuple_, update
from sqlalchemy.orm import Session

from reelm.accounts.events import AccountErased
from reelm.accounts.handles import erased_hash
from reelm.accounts.keys import data_key, destroy_key
from reelm.accounts.models import (
    Account,
    AccountPrivate,
    Credential,
    ErasedAccount,
    ErasedHandle,
    HeldErasure,
    RecoveryCode,
    SecondFactor,
)
from reelm.accounts.persons import ERASED_BY, rows_of, tables_of_persons
from reelm.accounts.sealed_copies import copies_due, make_copy
from reelm.accounts.sessions import disable_sessions, revoke_sessions
from reelm.accounts.staff import refuse_last_owner
from reelm.accounts.tasks import COPY_BEFORE_ERASURE, ERASE_LATER
from reelm.audit import record
from reelm.foundation.clock import now
from reelm.foundation.database import Base, Erasure, fence
from reelm.foundation.errors import Conflict, Missing, Unavailable
from reelm.foundation.events import publish
from reelm.foundation.jobs import defer
from reelm.foundation.jobs.listing import undone_ids
from reelm.foundation.parts import Parts
from reelm.regions import load_pack

# Rows of which room videos removes the files first; it has the rows removed itself.
WITH_FILES = ("video", "upload")
# A transaction that deletes more than this holds its locks for seconds.
BATCH = 2000


class ErasureBegun(msgspec.Struct, frozen=True):
    """When the account was erased, and when the last backup that could name it ends."""

    erased_at: datetime
    complete_at: datetime | None


def ask_to_erase(session: Session, parts: Parts, account_id: int) -> ErasureBegun | None:
    """Begin to erase an account; None where that is done once a handover has ended.

    A region that was sealed for its buyer is not sealed again for each who leaves: then the
    account's sessions end, and whoever runs the region next erases it, or this operator again.

    Raises:
        Missing: there is and was no such account.
        Conflict: it is the last owner of the region, or an owner who would have to wait.
    """
    if not waits_for_handover(session):
        return erase_account(session, parts, account_id)
    account = session.get(Account, account_id)
    if account is None:
        raise Missing("There is no such account.")
    if account.role == "owner":
        raise Conflict("An owner of a region that is handed over is erased once that has ended.")
    disable_sessions(session, account_id)  # an order may have their rows preserved
    defer(session, ERASE_LATER, account_id=account_id)
    return None


def waits_for_handover(session: Session) -> bool:
    """Whether an erasure has to wait; until the transaction ends, no seal begins."""
    # First the lock, for which a seal waits that begins (foundation.database.fence.mark_sealed).
    session.execute(text(f"LOCK TABLE {ErasedAccount.__tablename__} IN ROW EXCLUSIVE MODE"))
    return fence.is_sealed(session)


def waiting_erasures(session: Session) -> list[int]:
    """Return the accounts that are to be erased once a handover has ended."""
    asked = undone_ids(session, ERASE_LATER, "account_id")
    erased = select(ErasedAccount.account_id).where(ErasedAccount.account_id.in_(asked))
    done = set(session.scalars(erased))
    return [account_id for account_id in asked if account_id not in done]


def erase_waiting(parts: Parts) -> None:
    """Begin to erase those who wait, each in a transaction: before a region is sealed again."""
    with parts.transaction() as session:
        waiting = waiting_erasures(session)
    for account_id in waiting:
        with suppress(Missing), parts.transaction() as session:
            erase_account(session, parts, account_id)


def erase_account(session: Session, parts: Parts, account_id: int) -> ErasureBegun:
    """Begin to erase an account: from the commit on nobody can read what was sealed.

    Erasing again changes nothing.

    Raises:
        Missing: there is and was no such account.
        Conflict: it is the last owner of the region.
    """
    account = session.get(Account, account_id, with_for_update=True, populate_existing=True)
    tombstone = session.get(ErasedAccount, account_id)
    if tombstone is not None:
        return ErasureBegun(tombstone.erased_at, tombstone.complete_at)
    if account is None:
        raise Missing("There is no such account.")
    refuse_last_owner(session, account)
    erased_at = now()
    tombstone = ErasedAccount(
        account_id=account_id, erased_at=erased_at, complete_at=_complete_at(parts, erased_at)
    )
    session.add(tombstone)
    session.add(ErasedHandle(handle_hash=erased_hash(account.handle)))
    profile = _blank(account)
    for table in (Credential, RecoveryCode, SecondFactor):
        session.execute(delete(table).where(table.account_id == account_id))
    record(session, "accounts.erasure_begun", account_id=str(account_id))
    if copies_due(session, account_id):
        _hold(session, parts, account_id, profile)
    else:
        _destroy(session, account)
    return ErasureBegun(erased_at, tombstone.complete_at)


def go_on_after_copies(parts: Parts, account_id: int) -> None:
    """Make the copies that hold an erasure back, then destroy the key and let the rows go.

    Raises:
        Unavailable: another order came meanwhile; try again.
    """
    with parts.transaction() as session:
        due = copies_due(session, account_id)
    for order_id, occasion in due:
        make_copy(parts, order_id, account_id, occasion)
    with parts.transaction() as session:
        # An order that names the account waits for this lock before it is accepted, or was seen.
        account = session.get(Account, account_id, with_for_update=True, populate_existing=True)
        held = session.get(HeldErasure, account_id)
        if account is None or held is None:
            return
        if copies_due(session, account_id):
            raise Unavailable("Another order about this account came in.")
        session.delete(held)
        _destroy(session, account)


def finish_erasure(parts: Parts, account_id: int) -> None:
    """Remove the account's rows from every table; in short transactions, each safe to repeat.

    Raises:
        Unavailable: its files are still being removed; try again later.
        Missing: its erasure has not begun.
    """
    with parts.transaction() as session:
        if session.get(ErasedAccount, account_id) is None:
            raise Missing("The erasure of this account has not begun.")
        _wait_for_files(session, account_id)
    # Others may act on the account's things until the last moment, so the account's own row,
    # on which their acts hang by foreign keys, goes last.
    for table, condition in tables_of_persons(Base.metadata, account_id, ERASED_BY):
        erasure = table.info["data"].erasure
        if erasure is Erasure.DELETE:
            while _delete_batch(parts, table, condition) == BATCH:
                pass
        elif erasure is Erasure.ANONYMISE:
            _anonymise(parts, table, condition)
    with parts.transaction() as session:
        record(session, "accounts.erasure_finished", account_id=str(account_id))


def resume_erasures(session: Session) -> int:
    """Tell again of each account whose erasure has not ended; return how many there are.

    Those that waited for a handover are queued again, too, where it has ended.
    """
    if not waits_for_handover(session):
        for account_id in waiting_erasures(session):
            defer(session, ERASE_LATER, account_id=account_id)
    erasing = session.scalars(select(Account.id).where(Account.state == "erasing")).all()
    held = set(session.scalars(select(HeldErasure.subject_id)))
    for account_id in erasing:
        if account_id in held:
            defer(session, COPY_BEFORE_ERASURE, account_id=account_id)
        else:
            publish(session, AccountErased(account_id=account_id))
    return len(erasing)


def _blank(account: Account) -> str:
    """Empty a profile, but for the picture that nobody sees any more; return it as JSON."""
    names = ("handle", "display_name", "bio", "links", "language", "role")
    profile = {name: getattr(account, name) for name in names}
    account.state = "erasing"
    account.display_name, account.bio, account.links = "", "", []
    account.language, account.role, account.role_until = None, None, None
    return msgspec.json.encode(profile).decode()


def _hold(session: Session, parts: Parts, account_id: int, profile: str) -> None:
    """Close an account at once, and keep its rows and key until they have been copied."""
    disable_sessions(session, account_id)
    sealed = data_key(session, parts, account_id).seal(HeldErasure.profile, profile)
    session.add(HeldErasure(subject_id=account_id, profile=sealed, began_at=now()))
    session.flush()
    defer(session, COPY_BEFORE_ERASURE, account_id=account_id)


def _destroy(session: Session, account: Account) -> None:
    """Destroy the key, and tell the rooms that everything of the account may go."""
    account.avatar_object = None
    revoke_sessions(session, account.id)
    destroy_key(session, account.id)
    private = delete(AccountPrivate).where(AccountPrivate.account_id == account.id)
    session.execute(private)
    session.flush()
    publish(session, AccountErased(account_id=account.id))


def _complete_at(parts: Parts, erased_at: datetime) -> datetime | None:
    days = load_pack(parts.settings.region.jurisdiction).erasure_complete_days.value
    return None if days is None else erased_at + timedelta(days=days)


def _wait_for_files(session: Session, account_id: int) -> None:
    for name in WITH_FILES:
        table = Base.metadata.tables[name]
        condition = rows_of(table, account_id, ERASED_BY)
        if (
            condition is not None
            and session.execute(
                select(*table.primary_key.columns).where(condition).limit(1)
            ).first()
        ):
            raise Unavailable("The videos of this account are still being removed.")


def _delete_batch(parts: Parts, table: Table, condition: ColumnElement[bool]) -> int:
    key = list(table.primary_key.columns)
    batch = select(*key).where(condition).limit(BATCH)
    with parts.transaction() as session:
        # The condition again, so that partitions are looked into by its index too.
        deleted = session.execute(
            delete(table).where(condition, tuple_(*key).in_(batch)).returning(*key)
        ).all()
    return len(deleted)


def _anonymise(parts: Parts, table: Table, condition: ColumnElement[bool]) -> None:
    values: dict[str, Any] = {
        column.name: column.info["anonymised"]
        for column in table.columns
        if "anonymised" in column.info
    }
    with parts.transaction() as session:
        session.execute(update(table).where(condition).values(values))
