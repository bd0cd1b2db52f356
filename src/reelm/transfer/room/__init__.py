"""The data room: what a buyer sees before anybody signs, and nothing of any person."""

from reelm.transfer.room.documents import DOCUMENTS, Document, Shown
from reelm.transfer.room.leave import (
    DEFAULT_DAYS,
    Leave,
    Opened,
    close_rooms,
    enter,
    open_room,
    rooms,
)
from reelm.transfer.room.view import Room, room, view

__all__ = [
    "DEFAULT_DAYS",
    "DOCUMENTS",
    "Document",
    "Leave",
    "Opened",
    "Room",
    "Shown",
    "close_rooms",
    "enter",
    "open_room",
    "room",
    "rooms",
    "view",
]
