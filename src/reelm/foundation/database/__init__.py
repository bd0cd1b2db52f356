"""PostgreSQL: connections, roles, migrations, leases and data classes."""

from sqlalchemy.orm import Session

from reelm.foundation.database.base import Base
from reelm.foundation.database.classes import (
    BEHAVIOUR,
    OPERATIONAL,
    PUBLIC,
    SEALED,
    DataClass,
    Erasure,
    Residency,
    Transfer,
)
from reelm.foundation.database.connect import Database

__all__ = [
    "BEHAVIOUR",
    "OPERATIONAL",
    "PUBLIC",
    "SEALED",
    "Base",
    "DataClass",
    "Database",
    "Erasure",
    "Residency",
    "Session",
    "Transfer",
]
