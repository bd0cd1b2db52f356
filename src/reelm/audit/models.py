"""Tables of the audit log: what was recorded, the tree over it, and who has signed its size.

All but the pending rows and the list of witnesses may be added to, never changed.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, SmallInteger
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

_LOG = DataClass(Residency.PUBLIC, Transfer.TRANSFER, Erasure.KEEP)
_APPEND_ONLY = {"info": {"append_only": True}}


class AuditEntry(Base):
    """One logged act: ids, digests and salted commitments, never personal data."""

    __tablename__ = "audit_entry"
    __data__ = _LOG
    __table_args__ = (Index("ix_audit_entry_kind_id", "kind", "id"), _APPEND_ONLY)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=PUBLIC)
    kind: Mapped[str] = mapped_column(info=PUBLIC)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB, info=PUBLIC)
    at: Mapped[datetime] = mapped_column(info=PUBLIC)


class AuditPending(Base):
    """An entry that has no place in the tree yet; a trigger puts each new entry here."""

    __tablename__ = "audit_pending"
    __data__ = DataClass(
        Residency.REGION,
        Transfer.REBUILD,
        Erasure.KEEP,
        "Empty once the log is integrated, which is done before it is handed over.",
    )
    __table_args__ = ({"info": {"no_update": True}},)

    entry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)


class AuditLeaf(Base):
    """The place of an entry in the tree, without gaps from 0 on, and the hash of its leaf."""

    __tablename__ = "audit_leaf"
    __data__ = _LOG
    __table_args__ = (Index(None, "entry_id", unique=True), _APPEND_ONLY)

    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=PUBLIC)
    entry_id: Mapped[int] = mapped_column(info=PUBLIC)
    hash: Mapped[bytes] = mapped_column(info=PUBLIC)


class AuditNode(Base):
    """The root of a complete subtree of 256, 65,536, ... leaves; those between are computed."""

    __tablename__ = "audit_node"
    __data__ = _LOG
    __table_args__ = _APPEND_ONLY

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, info=PUBLIC)
    index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=PUBLIC)
    hash: Mapped[bytes] = mapped_column(info=PUBLIC)


class AuditCheckpoint(Base):
    """A signed size and root; one for each size, so that no size is signed twice."""

    __tablename__ = "audit_checkpoint"
    __data__ = _LOG
    __table_args__ = _APPEND_ONLY

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=PUBLIC)
    root: Mapped[bytes] = mapped_column(info=PUBLIC)
    key: Mapped[str] = mapped_column(info=PUBLIC)  # that signs from this size on
    note: Mapped[str] = mapped_column(info=PUBLIC)
    signed_at: Mapped[datetime] = mapped_column(info=PUBLIC)


class AuditWitness(Base):
    """A witness whose cosignatures are taken; the log has an entry of each change."""

    __tablename__ = "audit_witness"
    __data__ = _LOG

    name: Mapped[str] = mapped_column(primary_key=True, info=PUBLIC)
    key: Mapped[str] = mapped_column(info=PUBLIC)
    added_at: Mapped[datetime] = mapped_column(info=PUBLIC)


class AuditCosignature(Base):
    """A witness's statement that it has seen a checkpoint and nothing that contradicts it."""

    __tablename__ = "audit_cosignature"
    __data__ = _LOG
    __table_args__ = _APPEND_ONLY

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=PUBLIC)
    witness: Mapped[str] = mapped_column(primary_key=True, info=PUBLIC)
    at: Mapped[datetime] = mapped_column(primary_key=True, info=PUBLIC)
    line: Mapped[str] = mapped_column(info=PUBLIC)


class AuditOpening(Base):
    """What a confidential entry commits to; ids and plain facts, as in every entry."""

    __tablename__ = "audit_opening"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.KEEP)
    __table_args__ = _APPEND_ONLY

    entry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    salt: Mapped[bytes] = mapped_column(info=OPERATIONAL)
    opened: Mapped[str] = mapped_column(info=OPERATIONAL)
