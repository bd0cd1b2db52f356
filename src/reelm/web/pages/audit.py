"""The audit log for people: its checkpoints, who has witnessed them, and all of it as a file."""

from typing import Annotated

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from reelm import accounts, audit, regions
from reelm.foundation.database import Session
from reelm.foundation.errors import Missing
from reelm.foundation.parts import Parts
from reelm.proofs.note import log_key
from reelm.web.rendering import page
from reelm.web.viewer import Viewer

SHOWN = 20
# A large log is minutes of reading. Who reads it often asks the API for what is new.
DOWNLOAD = accounts.Limit("audit_log.address", 30, 3600)
Below = Annotated[int, Meta(ge=1, le=2**53 - 1)]


def log(
    request: Request, session: Session, parts: Parts, viewer: Viewer, below: Below | None = None
) -> Response:
    """Show the log's key and its checkpoints; `below` asks for older ones."""
    found = audit.checkpoints(session, below=below, limit=SHOWN + 1)
    return page(
        request,
        viewer,
        "audit.html",
        checkpoints=found[:SHOWN],
        older=found[SHOWN - 1].size if len(found) > SHOWN else None,
        key=_key(parts, found),
        witnesses=[witness.text for witness in audit.witnesses(session)],
        kinds=[{"name": name, "words": kind.words} for name, kind in audit.KINDS.items()],
    )


def download(parts: Parts, viewer: Viewer) -> Response:
    """Give all of the log as one file, a page at a time.

    Raises:
        RateLimited: it was downloaded too often from this address.
    """
    accounts.count_try(parts, DOWNLOAD, accounts.address_group(viewer.address))
    signer = regions.audit_signer(parts)
    name = f"audit-{signer.origin.rsplit('/', 1)[-1]}.jsonl"
    headers = {
        "cache-control": "no-store",
        "content-disposition": f'attachment; filename="{name}"',
    }
    pages = audit.export(parts.database, signer.origin, signer.first_key)
    return StreamingResponse(pages, headers=headers, media_type="application/jsonl")


def _key(parts: Parts, found: list[audit.ShownCheckpoint]) -> str | None:
    try:
        signer = regions.audit_signer(parts)
    except Missing:
        return None
    now = found[0].key if found else signer.first_key
    return log_key(signer.origin, bytes.fromhex(now)).text
