"""The table of the audit log; it may be added to, never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from reelm.foundation.database import OPERATIONAL, Base, DataClass, Erasure, Residency, Transfer


class AuditEntry(Base):
    """One logged act: ids, digests and salted commitments, never personal data."""

    __tablename__ = "audit_entry"
    __data__ = DataClass(Residency.REGION, Transfer.TRANSFER, Erasure.KEEP)
    __table_args__ = ({"info": {"append_only": True}},)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    kind: Mapped[str] = mapped_column(info=OPERATIONAL)
    body: Mapped[dict[str, Any]] = mapped_column(JSONB, info=OPERATIONAL)
    at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
