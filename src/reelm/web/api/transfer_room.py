"""The data room of the sale, for whoever has the token that the seller gave."""

import base64
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from reelm import accounts
from reelm.foundation.database import Session
from reelm.foundation.parts import Parts
from reelm.transfer import room
from reelm.web.viewer import Viewer


class ToldDocument(msgspec.Struct, frozen=True):
    """A document that lies in the room, JSON."""

    name: str
    about: str


class ToldRoom(msgspec.Struct, frozen=True):
    """What the token opens: the data room of which sale, until when, and what lies there."""

    transfer_id: str
    scope_digest: str
    until: datetime
    documents: list[ToldDocument]


def list_documents(session: Session, parts: Parts, viewer: Viewer, request: Request) -> ToldRoom:
    """List the documents of the data room; needs `Authorization: Bearer TOKEN`."""
    with accounts.counting_refused(parts, accounts.ROOM_ADDRESS, viewer.address):
        found = room.room(session, _token(request))
    return ToldRoom(
        str(found.transfer_id),
        found.scope_digest,
        found.until,
        [ToldDocument(name, one.about) for name, one in room.DOCUMENTS.items()],
    )


def read_document(
    session: Session, parts: Parts, viewer: Viewer, request: Request, document: str
) -> Response:
    """Show a document of the data room; that it was looked at is logged with its SHA-256."""
    token = _token(request)
    with accounts.counting_refused(parts, accounts.ROOM_ADDRESS, viewer.address):
        found = room.room(session, token)
    accounts.count_try(parts, accounts.ROOM_VIEWS, found.room_id)
    shown = room.view(session, parts, token, document)
    digest = base64.b64encode(bytes.fromhex(shown.digest)).decode()
    headers = {"cache-control": "no-store", "content-digest": f"sha-256=:{digest}:"}
    return Response(shown.body, media_type="application/json", headers=headers)


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
