"""Tables of accounts, their keys, credentials and sessions."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from reelm.foundation.database import (
    BEHAVIOUR,
    OPERATIONAL,
    PUBLIC,
    SEALED,
    Base,
    DataClass,
    Erasure,
    Rekey,
    Residency,
    Transfer,
)

_PERSON = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.DELETE)


class Account(Base):
    """A person's account; what is here others may see."""

    __tablename__ = "account"
    __data__ = _PERSON

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=PUBLIC)
    handle: Mapped[str] = mapped_column(info=PUBLIC)
    display_name: Mapped[str] = mapped_column(info=PUBLIC)
    bio: Mapped[str] = mapped_column(default="", info=PUBLIC)
    links: Mapped[list[str]] = mapped_column(JSONB, default=list, info=PUBLIC)
    avatar_object: Mapped[str | None] = mapped_column(info=PUBLIC)
    language: Mapped[str | None] = mapped_column(info=PUBLIC)
    is_private: Mapped[bool] = mapped_column(default=False, info=PUBLIC)
    # Null for people; staff: owner, officer, moderator, analyst, authority.
    role: Mapped[str | None] = mapped_column(info=PUBLIC)
    # From then on the role is none any more, whether or not it was taken away; null: no end is set.
    role_until: Mapped[datetime | None] = mapped_column(info=PUBLIC)
    # active, or erasing while the objects of an erased account are still being removed.
    state: Mapped[str] = mapped_column(default="active", info=PUBLIC)
    created_at: Mapped[datetime] = mapped_column(info=PUBLIC)


class Handle(Base):
    """Uniqueness of handles, apart from accounts so that accounts can be spread by id."""

    __tablename__ = "handle"
    __data__ = _PERSON

    handle_key: Mapped[str] = mapped_column(primary_key=True, info=PUBLIC)  # case-folded
    account_id: Mapped[int] = mapped_column(unique=True, info=PUBLIC)


class AccountKey(Base):
    """The account's data key, wrapped by the region key; destroyed when the account is erased."""

    __tablename__ = "account_key"
    __data__ = _PERSON

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    wrapped_key: Mapped[bytes] = mapped_column(info={**OPERATIONAL, "rekey": Rekey.WRAPPED})
    region_key_version: Mapped[int] = mapped_column(info={**OPERATIONAL, "rekey": Rekey.VERSION})


class AccountPrivate(Base):
    """What only the account itself may read; sealed by its data key."""

    __tablename__ = "account_private"
    __data__ = _PERSON

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    birth_date: Mapped[bytes] = mapped_column(info=SEALED)


class Credential(Base):
    """How the account signs in."""

    __tablename__ = "credential"
    __data__ = _PERSON

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    password_hash: Mapped[str] = mapped_column(info=OPERATIONAL)  # argon2id
    changed_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)


class RecoveryCode(Base):
    """A one-time code that sets a new password."""

    __tablename__ = "recovery_code"
    __data__ = _PERSON

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    code_hash: Mapped[bytes] = mapped_column(primary_key=True, info=OPERATIONAL)
    made_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)


class SecondFactor(Base):
    """The secret that a staff member's device makes codes from."""

    __tablename__ = "second_factor"
    __data__ = DataClass(
        Residency.REGION,
        Transfer.EXCLUDE,
        Erasure.DELETE,
        "The staff of the new operator set up devices of their own.",
    )

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    secret: Mapped[bytes] = mapped_column(info=SEALED)
    # The step of the last code taken: none of it or before is taken again.
    last_step: Mapped[int] = mapped_column(info=OPERATIONAL)
    # Null until the device's first code has come back.
    enrolled_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)


class StaffPurpose(Base):
    """For what a staff member reads people's data in one session; the log names its id."""

    __tablename__ = "staff_purpose"
    __data__ = DataClass(
        Residency.REGION,
        Transfer.EXCLUDE,
        Erasure.DELETE,
        "Words of the seller's staff; the audit log, which goes along, holds each purpose.",
    )

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    session_id: Mapped[int] = mapped_column(info=OPERATIONAL)
    purpose: Mapped[str] = mapped_column(info=BEHAVIOUR)
    note: Mapped[bytes] = mapped_column(info=SEALED)
    said_at: Mapped[datetime] = mapped_column(info=BEHAVIOUR)
    ends_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)


class TermsAcceptance(Base):
    """Which version of the terms was accepted, and when."""

    __tablename__ = "terms_acceptance"
    __data__ = _PERSON

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=BEHAVIOUR)
    version: Mapped[str] = mapped_column(primary_key=True, info=BEHAVIOUR)
    accepted_at: Mapped[datetime] = mapped_column(info=BEHAVIOUR)


class SignedIn(Base):
    """A session: one browser or program that is signed in."""

    __tablename__ = "session"
    __data__ = DataClass(
        Residency.REGION,
        Transfer.EXCLUDE,
        Erasure.DELETE,
        "People sign in again with the new operator.",
    )

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, info=OPERATIONAL
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    token_hash: Mapped[bytes] = mapped_column(info=OPERATIONAL)
    # none: the account has none; awaited: nobody is signed in yet; passed.
    second_factor: Mapped[str] = mapped_column(server_default="none", info=OPERATIONAL)
    address: Mapped[bytes] = mapped_column(info=SEALED)
    user_agent: Mapped[bytes] = mapped_column(info=SEALED)
    created_at: Mapped[datetime] = mapped_column(info=BEHAVIOUR)
    last_seen_at: Mapped[datetime] = mapped_column(info=BEHAVIOUR)
    expires_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)


class RateLimit(Base):
    """Tries of one kind by one subject in one window; the subject is a keyed hash."""

    __tablename__ = "rate_limit"
    __data__ = DataClass(
        Residency.REGION, Transfer.EXCLUDE, Erasure.EXPIRE, "Windows of minutes; gone in a day."
    )
    __table_args__ = (Index(None, "window_ends_at"), {"prefixes": ["UNLOGGED"]})

    subject: Mapped[bytes] = mapped_column(primary_key=True, info=OPERATIONAL)
    window_ends_at: Mapped[datetime] = mapped_column(primary_key=True, info=OPERATIONAL)
    tries: Mapped[int] = mapped_column(info=OPERATIONAL)


class ErasedAccount(Base):
    """A tombstone: this id was erased and must never reappear."""

    __tablename__ = "erased_account"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.KEEP)

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    erased_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    # When the last WAL and backup with the old wrapped key are gone; null: the pack has no value.
    complete_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)


class ErasedHandle(Base):
    """The handle of an erased account, as a slow hash: it stays taken, without saying by whom."""

    __tablename__ = "erased_handle"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.KEEP)

    handle_hash: Mapped[bytes] = mapped_column(primary_key=True, info=OPERATIONAL)


class HeldErasure(Base):
    """An erasure whose rows and key wait until what legal orders ask for has been copied.

    What an erasure empties in the person's own request is kept here until then.
    """

    __tablename__ = "held_erasure"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.KEEP)

    # The account; neither exported nor erased by it, so that no confidential order is told.
    subject_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    profile: Mapped[bytes] = mapped_column(info={**SEALED, "key": "subject_id"})
    began_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)


class SealedCopy(Base):
    """A copy of an account made for a legal order, which nobody in the region can read.

    One to preserve is encrypted to the region's preservation key and goes when the order ends;
    one to disclose is encrypted to the authority, and goes some time after its release.
    """

    __tablename__ = "sealed_copy"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.KEEP)
    __table_args__ = (
        Index("uq_sealed_copy_made_for", "order_id", "subject_id", "occasion", unique=True),
        Index(None, "object"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    order_id: Mapped[int] = mapped_column(info=OPERATIONAL)
    subject_id: Mapped[int] = mapped_column(info=OPERATIONAL)  # the account, as above
    purpose: Mapped[str] = mapped_column(info=OPERATIONAL)  # preserve, disclose
    occasion: Mapped[str] = mapped_column(info=OPERATIONAL)  # order, erasure
    object: Mapped[str] = mapped_column(info=OPERATIONAL)
    size_bytes: Mapped[int] = mapped_column(info=OPERATIONAL)
    made_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    released_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
    released_by: Mapped[int | None] = mapped_column(info=OPERATIONAL)  # who of the staff
