"""A region's log, with keys and entries."""

from sqlalchemy import text

from reelm import audit, regions
from reelm.foundation.parts import Parts
from reelm.proofs.report import Report
from reelm.proofs.verify import Expected, verify_export


def add(parts: Parts, count: int = 1) -> list[int]:
    """Record entries, each in a transaction of its own."""
    ids = []
    for number in range(1, count + 1):
        with parts.transaction() as session:
            ids.append(audit.record(session, "accounts.reset", account_id=str(number)))
    return ids


def integrate(parts: Parts, **options: int) -> int:
    """Take what is pending into the tree."""
    return audit.integrate(parts.database, regions.audit_signer(parts), **options)


def exported(parts: Parts) -> list[bytes]:
    """Return the lines of the export."""
    signer = regions.audit_signer(parts)
    pages = audit.export(parts.database, signer.origin, signer.first_key)
    return b"".join(pages).splitlines(keepends=True)


def verified(parts: Parts, **expected: object) -> Report:
    """Verify the export."""
    return verify_export(exported(parts), Expected(**expected))  # type: ignore[arg-type]


def size_of(parts: Parts) -> int:
    with parts.transaction() as session:
        return audit.leaf_count(session)


def rows(parts, query):
    with parts.transaction() as session:
        return session.execute(text(query)).all()
