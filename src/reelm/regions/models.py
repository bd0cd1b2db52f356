"""Tables of the region itself."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from reelm.foundation.database import OPERATIONAL, Base, DataClass, Erasure, Residency, Transfer


class Tenure(Base):
    """An operator's time in charge; exactly one has no end, and its epoch fences writes."""

    __tablename__ = "tenure"
    __data__ = DataClass(Residency.PUBLIC, Transfer.TRANSFER, Erasure.KEEP)

    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    operator: Mapped[str] = mapped_column(info=OPERATIONAL)
    public_key: Mapped[str] = mapped_column(info=OPERATIONAL)
    began_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
    ended_at: Mapped[datetime | None] = mapped_column(info=OPERATIONAL)
