"""Tables of a sale of the region: its scope, and what operators and authorities signed about it."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from reelm.foundation.database import (
    OPERATIONAL,
    Base,
    DataClass,
    Erasure,
    Residency,
    Transfer,
)

_SALE = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.KEEP)


class RegionTransfer(Base):
    """A sale of the region; at most one is open. Its state follows from what was signed."""

    __tablename__ = "transfer"
    __data__ = _SALE
    __table_args__ = (
        Index(
            "uq_transfer_open",
            text("(ended_at IS NULL)"),
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    # SHA-256 of the scope's bytes.
    scope_digest: Mapped[str] = mapped_column(unique=True, info=OPERATIONAL)
    scope: Mapped[str] = mapped_column(info=OPERATIONAL)  # canonical JSON (proofs/sale.py)
    proposed_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    ended_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
    ending: Mapped[str | None] = mapped_column(info=OPERATIONAL)  # aborted, cutover
    reason: Mapped[str] = mapped_column(info=OPERATIONAL)  # why it ended; empty while open


class TransferStatement(Base):
    """A signed statement about a sale, as it came: nobody who serves changes or deletes it."""

    __tablename__ = "transfer_statement"
    __data__ = _SALE
    __table_args__ = (
        Index("uq_transfer_statement_reference", "authority_id", "reference", unique=True),
        Index(None, "document_digest"),
        {"info": {"append_only": True}},
    )

    transfer_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, info=OPERATIONAL
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    kind: Mapped[str] = mapped_column(info=OPERATIONAL)  # sale, approve, refuse, revoke
    # Null: of seller or buyer.
    authority_id: Mapped[int | None] = mapped_column(info=OPERATIONAL)
    reference: Mapped[str | None] = mapped_column(info=OPERATIONAL)
    # SHA-256 of the signed payload.
    document_digest: Mapped[str] = mapped_column(info=OPERATIONAL)
    envelope: Mapped[str] = mapped_column(info=OPERATIONAL)  # DSSE
    received_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)


class TransferStep(Base):
    """One step of the move as this side took it, with the document that came of it."""

    __tablename__ = "transfer_step"
    __data__ = DataClass(
        Residency.REGION,
        Transfer.EXCLUDE,
        Erasure.KEEP,
        "Each side keeps its own steps; what both signed is in the audit log.",
    )

    transfer_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, info=OPERATIONAL
    )
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    # announced, rehearsed, frozen, thawed, sealing, sealed, receipt, cutover, wind_down,
    # certificate, granted, grant_used, grant_revoked, grant_expired
    kind: Mapped[str] = mapped_column(info=OPERATIONAL)
    document: Mapped[str] = mapped_column(info=OPERATIONAL)  # JSON, or a DSSE envelope
    made_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)


class DataRoom(Base):
    """Leave to look into the data room of a sale until a day; the token's hash alone is kept."""

    __tablename__ = "data_room"
    __data__ = DataClass(
        Residency.REGION,
        Transfer.EXCLUDE,
        Erasure.KEEP,
        "The buyer's leave to look before it buys ends with the sale.",
    )
    __table_args__ = (Index(None, "token_hash", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    transfer_id: Mapped[int] = mapped_column(info=OPERATIONAL)
    token_hash: Mapped[bytes] = mapped_column(info=OPERATIONAL)  # SHA-256
    opened_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    until: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    closed_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
