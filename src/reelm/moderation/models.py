"""Tables of reports."""

from datetime import datetime

from sqlalchemy import Index
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


class Report(Base):
    """Somebody says that a video, comment or account breaks a rule or the law.

    The text is sealed by a data key of the report's own (`account_key` row of the report's id),
    since a report may come from a person without an account.
    """

    __tablename__ = "report"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.ANONYMISE)
    __table_args__ = (Index(None, "state", "id"), Index(None, "reporter_id"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    # `anonymised`: what the column holds once the reporter's account is erased.
    reporter_id: Mapped[int | None] = mapped_column(info={**BEHAVIOUR, "anonymised": None})
    target_kind: Mapped[str] = mapped_column(info=BEHAVIOUR)  # video, comment, account
    target_id: Mapped[int] = mapped_column(info=BEHAVIOUR)
    reason: Mapped[str] = mapped_column(info=BEHAVIOUR)
    # `key`: the column with the id of the data key, where that is not the account's.
    detail: Mapped[bytes] = mapped_column(info={**SEALED, "key": "id"})
    contact: Mapped[bytes] = mapped_column(info={**SEALED, "key": "id", "anonymised": b""})
    state: Mapped[str] = mapped_column(info=OPERATIONAL)  # open, closed
    created_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
