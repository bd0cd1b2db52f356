"""What may be served to whom, kept in memory and dropped at the moment it changes.

withholding.py hears of each change. While it hears nothing, nothing is taken from memory: each
request asks the database.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reelm import accounts, regions, social, videos
from reelm.foundation.database import Session
from reelm.foundation.errors import Missing
from reelm.foundation.ids import MAX_ID
from reelm.foundation.parts import Parts
from reelm.web.withholding import Changes, Hearer

# A video's files and access in memory: some kilobytes each, plus open descriptors.
MOST_VIDEOS = 300
MOST_GRANTS = 10_000
# A signed-in viewer's leave to watch what is not public is asked for anew after this long.
GRANT_S = 60.0
NOTHING = "There is nothing at this address."
# Tells in which country a viewer is; asked only where something is withheld.
Place = Callable[[], str | None]


class OpenFile:
    """A file opened for reading, closed when the last request that reads it has ended."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def __del__(self) -> None:
        if "descriptor" in self.__dict__:
            os.close(self.descriptor)


@dataclass(frozen=True)
class MediaFile:
    """One thing with an address: bytes in memory, an open local file, or an object elsewhere."""

    etag: str
    media_type: str
    size_bytes: int
    account_id: int
    data: bytes | None = None
    opened: OpenFile | None = None
    key: str | None = None


@dataclass
class _Entry:
    account_id: int
    is_open: bool  # anybody may fetch it, signed in or not
    sources: dict[str, videos.MediaSource]
    withheld: list[regions.Withheld]
    files: dict[str, MediaFile] = field(default_factory=dict)


class MediaIndex:
    """Files by address, with the visibility rule in front."""

    def __init__(self, parts: Parts, changes: Changes) -> None:
        self._parts, self._changes = parts, changes
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._grants: dict[tuple[str, str], float] = {}
        # Counts changes heard of, so that what was read before one is not kept after it.
        self._heard = 0
        changes.tell(Hearer(self._on_change, self._forget_all))

    def from_memory(self, path: str, token: str | None, place: Place) -> MediaFile | None:
        """Return the file at `path` if memory knows that this viewer may have it."""
        if not self._changes.connected:
            return None
        owner, _, name = path.rpartition("/")
        entry = self._entries.get(owner)
        if entry is None:
            return None
        if not entry.is_open and self._grants.get((owner, token or ""), 0.0) < time.monotonic():
            return None
        if entry.withheld and _reaching(entry.withheld, place()):
            return None
        return entry.files.get(name)

    def load(self, path: str, token: str | None, place: Place) -> MediaFile:
        """Ask the database for the file at `path` on behalf of the viewer with this session.

        Raises:
            Missing: there is no such file, or this viewer may not have it.
            LegallyWithheld: an order withholds it where the viewer is.
            Gone: a decision withholds it.
        """
        owner, _, name = path.rpartition("/")
        kind, _, number = owner.removeprefix("/").partition("/")
        if not (number.isascii() and number.isdigit() and int(number[:20]) <= MAX_ID):
            raise Missing(NOTHING)
        heard = self._heard
        with self._parts.transaction() as session:
            if kind == "avatars":
                entry = self._avatar(session, int(number))
            else:
                entry = self._video(session, int(number), token)
        file = self._file(entry, owner, name)
        by = _reaching(entry.withheld, place()) if entry.withheld else []
        if by:
            raise regions.refusal("This file", by)
        with self._lock:
            if heard == self._heard:
                self._remember(owner, entry, file, name, token)
        return file

    def _avatar(self, session: Session, account_id: int) -> _Entry:
        key = accounts.avatar_object(session, account_id)
        if key is None:
            raise Missing(NOTHING)
        digest = key.rsplit("/", 1)[-1]
        source = videos.MediaSource(media_type="image/jpeg", etag=digest[:32], key=key)
        withheld = regions.restrictions_on(session, [account_id])
        return _Entry(account_id, True, {f"{digest[:8]}.jpg": source}, withheld)

    def _video(self, session: Session, video_id: int, token: str | None) -> _Entry:
        access = social.access_of(session, video_id)
        if access is None:
            raise Missing(NOTHING)
        # What anybody may fetch signed out, one may fetch signed in: a block hides lists and
        # pages from the blocked, and cannot hide what the same person sees without an account.
        is_open = social.allows(access, None, follows=False, blocked=False)
        if not is_open:
            viewer = accounts.viewer_of(session, token) if token else None
            if viewer is None or not _allows(session, access, viewer.account_id):
                raise Missing(NOTHING)
        sources = videos.media_sources(session, video_id)
        withheld = regions.restrictions_on(session, [video_id, access.account_id])
        return _Entry(access.account_id, is_open, sources, withheld)

    def _file(self, entry: _Entry, owner: str, name: str) -> MediaFile:
        known = self._entries.get(owner)
        source = entry.sources.get(name)
        if source is None:
            raise Missing(NOTHING)
        etag = f'"{source.etag}"'
        if known is not None and name in known.files and known.files[name].etag == etag:
            return known.files[name]
        if source.data is not None:
            return MediaFile(
                etag, source.media_type, len(source.data), entry.account_id, data=source.data
            )
        if source.key is None:
            raise Missing(NOTHING)
        local = self._parts.store.local_path(source.key)
        if local is None:
            size_bytes = self._parts.store.size_bytes(source.key)
            return MediaFile(etag, source.media_type, size_bytes, entry.account_id, key=source.key)
        try:
            opened = OpenFile(local)
        except FileNotFoundError:
            raise Missing(NOTHING) from None
        size_bytes = local.stat().st_size
        return MediaFile(etag, source.media_type, size_bytes, entry.account_id, opened=opened)

    def _remember(
        self, owner: str, entry: _Entry, file: MediaFile, name: str, token: str | None
    ) -> None:
        kept = self._entries.setdefault(owner, entry)
        kept.files[name] = file
        self._entries.move_to_end(owner)
        if len(self._entries) > MOST_VIDEOS:
            self._entries.popitem(last=False)
        if not entry.is_open:
            if len(self._grants) >= MOST_GRANTS:
                self._grants.clear()
            self._grants[owner, token or ""] = time.monotonic() + GRANT_S

    def _on_change(self, kind: str, number: int) -> None:
        with self._lock:
            self._heard += 1
            self._grants.clear()
            if kind in ("video", "subject"):
                self._entries.pop(f"/media/{number}", None)
            if kind in ("account", "subject"):
                for owner in [o for o, e in self._entries.items() if e.account_id == number]:
                    del self._entries[owner]

    def _forget_all(self) -> None:
        with self._lock:
            self._heard += 1
            self._grants.clear()
            self._entries.clear()


def _allows(session: Session, access: social.Access, account_id: int) -> bool:
    relation = social.relation_of(session, account_id, access.account_id)
    return social.allows(access, account_id, follows=relation.follows, blocked=relation.blocked)


def _reaching(withheld: list[regions.Withheld], country: str | None) -> list[regions.Withheld]:
    return [one for one in withheld if regions.holds(one.countries, country)]
