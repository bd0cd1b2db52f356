"""What lies in a region home and beside it, and the data class of each.

Most of it is a copy of what tables and object prefixes declare; a data map that leaves copies out
would not say where data lies.
"""

from reelm.foundation.classes import DataClass, Erasure, Place, Residency, Transfer, declare


def _file(name: str, holds: str, transfer: Transfer, erasure: Erasure, reason: str = "") -> str:
    return declare(Place.FILES, name, holds, DataClass(Residency.REGION, transfer, erasure, reason))


_RUNS = "Runs this deployment; means nothing in another."

FOLDERS = (
    _file(
        "keys",
        "the region's key, the operator's key, passwords of database roles; mode 0600",
        Transfer.EXCLUDE,
        Erasure.KEEP,
        "The seller's keys are destroyed; wrapped account keys travel in their table.",
    ),
    _file("objects", "the object store, where it is local", Transfer.TRANSFER, Erasure.DELETE),
    _file(
        "uploads", "uploads under way", Transfer.EXCLUDE, Erasure.EXPIRE,
        "Unfinished; gone within `upload.expire_hours`.",
    ),
    _file(
        "work", "copies of media and of the ranker's state while a job runs; digests of a seal",
        Transfer.EXCLUDE, Erasure.EXPIRE, "Removed when the job ends, or by the next sweep.",
    ),
    _file(
        "logs", "messages of the embedded database, without statements and values",
        Transfer.EXCLUDE, Erasure.EXPIRE, _RUNS,
    ),
)  # fmt: skip
_file(
    "postgres",
    "the embedded database: all tables, and the WAL with rows that were deleted lately",
    Transfer.REBUILD,
    Erasure.EXPIRE,
    "Rows travel, files do not; a deleted row ends with the last WAL that holds it.",
)
_file(
    "egress", "which layers hold in which process, and counts of what they refused",
    Transfer.EXCLUDE, Erasure.EXPIRE, _RUNS,
)  # fmt: skip
_file(
    "region.toml", "the region's settings; may hold a password of the database or store",
    Transfer.EXCLUDE, Erasure.KEEP, "The buyer writes its own.",
)  # fmt: skip
_file(
    "audit-checkpoint", "the newest signed checkpoint of the audit log, which is public",
    Transfer.REBUILD, Erasure.KEEP, "The log itself goes along, and is signed anew.",
)  # fmt: skip
_file(
    "winding-down",
    "after a sale: the journal of what was destroyed, and the certificate; no personal data",
    Transfer.EXCLUDE,
    Erasure.KEEP,
    "What the seller states about its own copies.",
)
_file(
    "departed",
    "after a sale: scope and cutover, from which the old address tells who runs the region now;"
    " no personal data",
    Transfer.EXCLUDE,
    Erasure.KEEP,
    "The buyer has the same documents; this is how the seller's address answers.",
)
_file(
    "backups-made", "where `reelm backup` wrote each backup, and when", Transfer.EXCLUDE,
    Erasure.KEEP, "The seller's own backups, which its wind-down destroys.",
)  # fmt: skip
for _name, _holds in (
    ("audit-checkpoint.lock", "nothing; is locked"),
    ("serve.lock", "address and port of the server"),
    ("postgres.lock", "nothing; is locked"),
    ("postgres-owner.lock", "nothing; is locked"),
    ("postgres-socket", "the socket of the database"),
    ("feed-socket", "the socket of the process that holds the ranker"),
):
    _file(_name, _holds, Transfer.EXCLUDE, Erasure.EXPIRE, _RUNS)
_file(
    "standard error", "the log fields, in lines; whatever starts `reelm serve` keeps them",
    Transfer.EXCLUDE, Erasure.EXPIRE, _RUNS,
)  # fmt: skip
_file(
    "backups",
    "every object and table but snapshots, uploads and rate limits; settings and keys",
    Transfer.EXCLUDE,
    Erasure.EXPIRE,
    "Each is on the register of copies in a sale. Keep none longer than `erasure_complete_days`.",
)
