"""Tables of grievances, decisions and notices."""

from datetime import datetime

from sqlalchemy import ARRAY, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from reelm.foundation.database import (
    BEHAVIOUR,
    OPERATIONAL,
    SEALED,
    Base,
    DataClass,
    Erasure,
    Residency,
    Transfer,
)


class Grievance(Base):
    """Somebody complains: of a video, comment, account, decision or order, or of the region's sale.

    Its texts are sealed by a data key of its own (`account_key` row of its id), since a grievance
    may come from a person without an account. The table keeps the name that it began with, to
    which sealed texts are bound.
    """

    __tablename__ = "report"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.ANONYMISE)
    __table_args__ = (
        Index(None, "state", "id"),
        Index(None, "reporter_id"),
        # What waits is counted at each look at the metrics; what was resolved is most of it.
        Index("ix_report_waiting", "state", postgresql_where="state <> 'resolved'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    kind: Mapped[str] = mapped_column(server_default="report", info=BEHAVIOUR)  # report, objection
    # `anonymised`: what the column holds once the reporter's account is erased.
    reporter_id: Mapped[int | None] = mapped_column(info={**BEHAVIOUR, "anonymised": None})
    # video, comment, account; of an objection: order, decision, transfer
    target_kind: Mapped[str] = mapped_column(info=BEHAVIOUR)
    target_id: Mapped[int] = mapped_column(info=BEHAVIOUR)
    reason: Mapped[str] = mapped_column(info=BEHAVIOUR)
    # `key`: the column with the id of the data key, where that is not the account's.
    detail: Mapped[bytes] = mapped_column(info={**SEALED, "key": "id"})
    contact: Mapped[bytes] = mapped_column(info={**SEALED, "key": "id", "anonymised": b""})
    # What the complainant is told in the end; empty before.
    answer: Mapped[bytes] = mapped_column(server_default="", info={**SEALED, "key": "id"})
    # SHA-256 of the code by which a person without an account follows it.
    code_hash: Mapped[bytes] = mapped_column(server_default="", info=OPERATIONAL)
    state: Mapped[str] = mapped_column(info=OPERATIONAL)  # open, acknowledged, resolved
    outcome: Mapped[str | None] = mapped_column(info=OPERATIONAL)  # acted, dismissed
    created_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    # As the policy pack said when it came, and never computed again; null: it said nothing.
    acknowledge_due_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
    resolve_due_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
    acknowledged_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
    resolved_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)


class Decision(Base):
    """What the staff decided about a video, comment or account, and why; may be reversed.

    Its fields are those of a statement of reasons (Digital Services Act, article 17).
    """

    __tablename__ = "decision"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.ANONYMISE)
    __table_args__ = (Index(None, "account_id"), Index(None, "target_id"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    # Whose thing it is about.
    account_id: Mapped[int | None] = mapped_column(info={**BEHAVIOUR, "anonymised": None})
    kind: Mapped[str] = mapped_column(info=BEHAVIOUR)
    target_id: Mapped[int] = mapped_column(info=BEHAVIOUR)
    ground: Mapped[str] = mapped_column(info=BEHAVIOUR)  # illegal, terms
    basis: Mapped[str] = mapped_column(info=BEHAVIOUR)  # which law, or which part of the terms
    category: Mapped[str] = mapped_column(info=BEHAVIOUR)
    # Null: wherever this region serves.
    countries: Mapped[list[str] | None] = mapped_column(ARRAY(Text), info=BEHAVIOUR)
    source_type: Mapped[str] = mapped_column(info=OPERATIONAL)  # grievance, own_initiative
    grievance_id: Mapped[int | None] = mapped_column(info=OPERATIONAL)
    automated_detection: Mapped[bool] = mapped_column(info=OPERATIONAL)
    facts: Mapped[bytes] = mapped_column(info={**SEALED, "key": "id"})
    decided_by: Mapped[int] = mapped_column(info=OPERATIONAL)
    decided_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    reversed_by: Mapped[int | None] = mapped_column(info=OPERATIONAL)
    reversed_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
    reversal: Mapped[bytes] = mapped_column(server_default="", info={**SEALED, "key": "id"})


class Notice(Base):
    """What a person is told about an order, decision or grievance of theirs, or the sale."""

    __tablename__ = "notice"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.DELETE)
    __table_args__ = (
        # A job that is run again tells nobody twice.
        Index("uq_notice_about", "account_id", "about", "about_id", "what", unique=True),
    )

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    about: Mapped[str] = mapped_column(info=BEHAVIOUR)  # order, decision, grievance, transfer
    about_id: Mapped[int] = mapped_column(info=OPERATIONAL)
    what: Mapped[str] = mapped_column(info=BEHAVIOUR)  # in_force, ended, made, reversed, ...
    words: Mapped[bytes] = mapped_column(info=SEALED)
    made_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    read_at: Mapped[datetime | None] = mapped_column(info=BEHAVIOUR)
