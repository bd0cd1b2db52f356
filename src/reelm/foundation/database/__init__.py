"""PostgreSQL: connections, roles, migrations, leases and data classes."""

from sqlalchemy.orm import Session

from reelm.foundation.classes import DataClass, Erasure, Residency, Retention, Transfer
from reelm.foundation.database.base import Base
from reelm.foundation.database.classes import BEHAVIOUR, OPERATIONAL, PUBLIC, SEALED, Rekey
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
    "Rekey",
    "Residency",
    "Retention",
    "Session",
    "Transfer",
]
