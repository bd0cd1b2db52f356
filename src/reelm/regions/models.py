"""Tables of the region itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from reelm.foundation.database import (
    OPERATIONAL,
    PUBLIC,
    Base,
    DataClass,
    Erasure,
    Residency,
    Transfer,
)


class Tenure(Base):
    """An operator's time in charge; exactly one has no end, and its epoch fences writes."""

    __tablename__ = "tenure"
    __data__ = DataClass(Residency.PUBLIC, Transfer.TRANSFER, Erasure.KEEP)

    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    operator: Mapped[str] = mapped_column(info=OPERATIONAL)
    public_key: Mapped[str] = mapped_column(info=OPERATIONAL)
    began_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    ended_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)


class Authority(Base):
    """A body with powers, its own keys, and how many of these an order of it needs."""

    __tablename__ = "authority"
    __data__ = DataClass(Residency.PUBLIC, Transfer.TRANSFER, Erasure.KEEP)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    name: Mapped[str] = mapped_column(info=PUBLIC)
    country: Mapped[str | None] = mapped_column(info=PUBLIC)  # ISO 3166-1 alpha-2
    powers: Mapped[list[str]] = mapped_column(ARRAY(Text), info=PUBLIC)
    threshold: Mapped[int] = mapped_column(info=PUBLIC)
    # Where to object to what it orders: an address on the web or on paper.
    objections: Mapped[str] = mapped_column(info=PUBLIC)
    # An age recipient: what is disclosed to this authority is encrypted to it.
    recipient: Mapped[str | None] = mapped_column(info=PUBLIC)
    added_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    ended_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)


class AuthorityKey(Base):
    """An Ed25519 key of one authority; a key never stands for two."""

    __tablename__ = "authority_key"
    __data__ = DataClass(Residency.PUBLIC, Transfer.TRANSFER, Erasure.KEEP)
    __table_args__ = (Index(None, "authority_id"),)

    # SHA-256 of the raw public key, in hex: the keyid of its signatures.
    key_id: Mapped[str] = mapped_column(primary_key=True, info=OPERATIONAL)
    authority_id: Mapped[int] = mapped_column(info=OPERATIONAL)
    public_key: Mapped[str] = mapped_column(info=OPERATIONAL)
    added_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    revoked_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)


class LegalOrder(Base):
    """What an authority ordered, when it came, when it was due, and what became of it."""

    __tablename__ = "legal_order"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.KEEP)
    __table_args__ = (
        Index(
            "uq_legal_order_reference",
            "authority_id",
            "reference",
            unique=True,
            postgresql_where="state <> 'refused'",
        ),
        Index(None, "state", "due_at"),
        Index(None, "document_digest"),
        Index("ix_legal_order_lapses", "lapses_at", postgresql_where="state = 'in_force'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    authority_id: Mapped[int] = mapped_column(info=OPERATIONAL)
    # The authority's own name of the order: the same one is never taken twice.
    reference: Mapped[str] = mapped_column(info=OPERATIONAL)
    kind: Mapped[str] = mapped_column(info=OPERATIONAL)
    category: Mapped[str] = mapped_column(info=OPERATIONAL)
    basis: Mapped[str] = mapped_column(info=OPERATIONAL)
    reasons: Mapped[str] = mapped_column(info=OPERATIONAL)
    # As orders/statement.py says: lists of ids of videos and accounts, and of references.
    targets: Mapped[dict[str, Any]] = mapped_column(JSONB, info=OPERATIONAL)
    # Territorial scope; null: wherever this region serves.
    countries: Mapped[list[str] | None] = mapped_column(ARRAY(Text), info=OPERATIONAL)
    is_interim: Mapped[bool] = mapped_column(info=OPERATIONAL)
    is_confidential: Mapped[bool] = mapped_column(info=OPERATIONAL)
    # entered (on paper, unchecked), in_force, complied, ended, refused
    state: Mapped[str] = mapped_column(info=OPERATIONAL)
    ending: Mapped[str | None] = mapped_column(info=OPERATIONAL)  # lifted, lapsed, refused
    issued_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    received_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    # Null: neither the order nor the policy pack says by when.
    due_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
    in_force_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
    complied_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
    lapses_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
    ended_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
    ended_by: Mapped[int | None] = mapped_column(info=OPERATIONAL)  # the order that lifted it
    # SHA-256 of the signed payload, or of the paper document.
    document_digest: Mapped[str] = mapped_column(info=OPERATIONAL)
    envelope: Mapped[str | None] = mapped_column(info=OPERATIONAL)  # DSSE as it came; null: paper
    entered_by: Mapped[int | None] = mapped_column(info=OPERATIONAL)
    checked_by: Mapped[int | None] = mapped_column(info=OPERATIONAL)


class Restriction(Base):
    """That one live order or decision withholds one subject; written by these alone."""

    __tablename__ = "restriction"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.KEEP)
    __table_args__ = (Index(None, "source_id"),)

    # A video's or account's id, as ids are unique over both; 0: the whole service.
    subject_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    source_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    source: Mapped[str] = mapped_column(info=OPERATIONAL)  # order, decision
    countries: Mapped[list[str] | None] = mapped_column(ARRAY(Text), info=OPERATIONAL)
    since: Mapped[datetime] = mapped_column(info=OPERATIONAL)


class ClockMark(Base):
    """The last reading of the machine's clocks: one row, see clock_watch.py."""

    __tablename__ = "clock_mark"
    __data__ = DataClass(
        Residency.REGION, Transfer.REBUILD, Erasure.EXPIRE, "Of this machine's clocks alone."
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    boot_id: Mapped[str] = mapped_column(info=OPERATIONAL)
    boot_ms: Mapped[int] = mapped_column(info=OPERATIONAL)
    # The time by the clock that nobody can set.
    steady_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    agreed: Mapped[bool] = mapped_column(info=OPERATIONAL)
