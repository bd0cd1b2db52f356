"""The base of all tables, and the tables of the foundation itself."""

from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, DateTime, MetaData, SmallInteger, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from reelm.foundation.classes import DataClass, Erasure, Residency, Retention, Transfer
from reelm.foundation.database.classes import FINISHED_JOBS_DAYS, OPERATIONAL


class Base(DeclarativeBase):
    """A table with its data class; ids are 63-bit, times are UTC."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
    }
    __data__: ClassVar[DataClass]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__data__" in cls.__dict__:
            cls.__table__.info["data"] = cls.__data__  # type: ignore[attr-defined]


_OPERATIONS = DataClass(
    Residency.REGION,
    Transfer.REBUILD,
    Erasure.EXPIRE,
    "Runs this deployment; means nothing in another.",
)


class ProcessLease(Base):
    """Which process may use which process number in its ids, until when."""

    __tablename__ = "process_lease"
    __data__ = _OPERATIONS

    process: Mapped[int] = mapped_column(SmallInteger, primary_key=True, info=OPERATIONAL)
    holder: Mapped[str] = mapped_column(info=OPERATIONAL)
    until: Mapped[datetime] = mapped_column(info=OPERATIONAL)


class JobReport(Base):
    """What a person should know of a job: how far it is, or why it failed."""

    __tablename__ = "job_report"
    __data__ = replace(
        _OPERATIONS, retention=Retention("updated_at", days=FINISHED_JOBS_DAYS, is_log=True)
    )

    job_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=OPERATIONAL)
    progress: Mapped[float] = mapped_column(default=0.0, info=OPERATIONAL)
    reason: Mapped[str | None] = mapped_column(info=OPERATIONAL)
    updated_at: Mapped[datetime] = mapped_column(info=OPERATIONAL)
