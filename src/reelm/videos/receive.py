"""The bytes of an upload, as they arrive.

An upload's file is locked (flock) by whoever writes to it: the kernel lets go when a process dies,
kill -9 included, and no database connection is held while a phone sends slowly. The row's offset
is moved only after fsync. What lies beyond it after a crash may be torn, so it is cut off and sent
again: at most SAVE_EVERY_BYTES or SAVE_EVERY_S. The offset reaches the announced size only in the
transaction that makes the video: an upload is unfinished or a video, never neither.
"""

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict, Gone, Invalid, Missing, TooLarge, Unavailable
from reelm.foundation.parts import Parts
from reelm.videos.ingest import ingest
from reelm.videos.models import Upload
from reelm.videos.objects import ORIGINALS, check_prompt, forget
from reelm.videos.upload import discard_file, draft_of, expiry, file_of

SAVE_EVERY_BYTES = 8 << 20
SAVE_EVERY_S = 2.0
CHECKSUMS = ("sha1", "sha256", "md5")
_ENDED = "This upload has been ended."


class Locked(Conflict):
    """Another request writes to this upload now."""


class WrongChecksum(Invalid):
    """The bytes are not those whose checksum was sent; they were dropped."""


@dataclass(frozen=True)
class Checksum:
    """What a client says of the bytes of one request."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True)
class Received:
    """How far an upload is after a request; `video_id` is set when it is complete."""

    offset_bytes: int
    video_id: int | None


def begin(
    parts: Parts,
    *,
    account_id: int,
    upload_id: int,
    offset_bytes: int,
    checksum: Checksum | None = None,
) -> "Arrival":
    """Begin to write at the upload's offset; the caller must `end` or `cut` what it gets.

    Raises:
        Missing: the account has no such upload.
        Gone: it has expired, or its bytes are lost.
        Conflict: its offset is another one; Locked: another request writes to it.
    """
    if checksum is not None and checksum.algorithm not in CHECKSUMS:
        raise Invalid(f"Checksums may be of {', '.join(CHECKSUMS)}.")
    # Asked before the lock too, so that an unknown id leaves no file behind.
    _find(parts, account_id, upload_id)
    descriptor = _claim(parts, upload_id)
    try:
        upload = _find(parts, account_id, upload_id)
        _check_offset(upload, offset_bytes)
        if upload.video_id is None:
            _cut_off_rest(parts, descriptor, upload)
        else:
            discard_file(parts.home, upload_id)
    except Exception:
        os.close(descriptor)
        raise
    return Arrival(parts, upload, descriptor, checksum)


def _find(parts: Parts, account_id: int, upload_id: int) -> Upload:
    with parts.transaction() as session:
        upload = session.get(Upload, (account_id, upload_id))
    if upload is None:
        raise Missing("There is no such upload of yours.")
    if upload.video_id is None and upload.expires_at < now():
        raise Gone("This upload has expired: start it again.")
    return upload


def _claim(parts: Parts, upload_id: int) -> int:
    path = file_of(parts.home, upload_id)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Unavailable(f"The upload cannot be stored just now: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Locked("Another request is sending this upload: wait a moment.") from None
    return descriptor


def _check_offset(upload: Upload, offset_bytes: int) -> None:
    if offset_bytes != upload.offset_bytes:
        raise Conflict(f"The upload is at offset {upload.offset_bytes}, not {offset_bytes}.")


def _cut_off_rest(parts: Parts, descriptor: int, upload: Upload) -> None:
    if os.fstat(descriptor).st_size < upload.offset_bytes:
        with parts.transaction() as session:
            session.delete(session.get_one(Upload, (upload.account_id, upload.id)))
        discard_file(parts.home, upload.id)
        raise Gone("What had arrived of this upload is lost: start it again.")
    os.ftruncate(descriptor, upload.offset_bytes)


@dataclass
class Arrival:
    """The bytes of one request on their way into the file of an upload."""

    parts: Parts
    upload: Upload
    descriptor: int
    checksum: Checksum | None
    offset_bytes: int = field(init=False)
    _saved_bytes: int = field(init=False)
    _saved_at: float = field(init=False)
    _digest: Any = field(init=False, default=None)
    # A request that is cancelled is cut while its last write may still run in a thread.
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.offset_bytes = self._saved_bytes = self.upload.offset_bytes
        self._saved_at = time.monotonic()
        if self.checksum is not None:
            self._digest = hashlib.new(self.checksum.algorithm, usedforsecurity=False)

    @property
    def size_bytes(self) -> int:
        """Size that was announced for the whole upload."""
        return self.upload.size_bytes

    def write(self, data: bytes) -> None:
        """Write the next bytes; a long request is made durable while it goes on."""
        if self.offset_bytes + len(data) > self.upload.size_bytes:
            raise TooLarge(f"The upload was announced with {self.upload.size_bytes} bytes.")
        with self._lock:
            self._put(data)
            if self._digest is not None:
                self._digest.update(data)
            elif self._is_save_due():
                self._save()

    def end(self) -> Received:
        """Keep what was written; with the last byte, make the video."""
        with self._lock, self._letting_go():
            self._check()
            video_id = self.upload.video_id
            if video_id is None and self.offset_bytes == self.upload.size_bytes:
                video_id = self._complete()
            else:
                self._save()
            return Received(self.offset_bytes, video_id)

    def cut(self) -> None:
        """Keep what arrived before the connection broke, where no checksum has to be met.

        After `end` it does nothing.
        """
        with self._lock:
            if self.descriptor < 0:
                return
            with self._letting_go():
                if self._digest is not None:
                    os.ftruncate(self.descriptor, self.upload.offset_bytes)
                elif self.offset_bytes < self.upload.size_bytes:
                    self._save()

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                written = os.pwrite(self.descriptor, rest, self.offset_bytes)
                self.offset_bytes += written
                rest = rest[written:]
        except OSError as error:
            raise Unavailable(f"The upload cannot be stored: {error.strerror}.") from error

    def _is_save_due(self) -> bool:
        if self.offset_bytes == self.upload.size_bytes:
            return False
        late = time.monotonic() - self._saved_at > SAVE_EVERY_S
        return late or self.offset_bytes - self._saved_bytes >= SAVE_EVERY_BYTES

    def _save(self) -> None:
        if self.offset_bytes == self._saved_bytes:
            return
        os.fsync(self.descriptor)
        with self.parts.transaction() as session:
            moved = session.execute(
                update(Upload)
                .where(Upload.account_id == self.upload.account_id, Upload.id == self.upload.id)
                .values(
                    offset_bytes=self.offset_bytes, expires_at=expiry(self.parts.settings.upload)
                )
                .returning(Upload.id)
            ).first()
        if moved is None:
            raise Gone(_ENDED)
        self._saved_bytes, self._saved_at = self.offset_bytes, time.monotonic()

    def _check(self) -> None:
        if self.checksum is None or self._digest.digest() == self.checksum.digest:
            return
        os.ftruncate(self.descriptor, self.upload.offset_bytes)
        raise WrongChecksum("The checksum does not match what arrived; send these bytes again.")

    def _complete(self) -> int:
        account_id, upload_id = self.upload.account_id, self.upload.id
        began_s = time.monotonic()
        original = self.parts.store.put_file(ORIGINALS, file_of(self.parts.home, upload_id))
        with self.parts.transaction() as session:
            check_prompt(began_s)
            upload = session.scalar(
                select(Upload)
                .where(Upload.account_id == account_id, Upload.id == upload_id)
                .with_for_update()
            )
            if upload is not None:
                draft = draft_of(session, self.parts, upload)
                upload.video_id = ingest(
                    session, account_id=account_id, original=original, draft=draft
                )
                upload.offset_bytes = upload.size_bytes
                upload.expires_at = expiry(self.parts.settings.upload)
            else:
                forget(session, [original.key])
        if upload is None or upload.video_id is None:
            raise Gone(_ENDED)
        discard_file(self.parts.home, upload_id)
        return upload.video_id

    @contextmanager
    def _letting_go(self) -> Iterator[None]:
        try:
            yield
        finally:
            # Closing ends the lock. The number may soon be another file's.
            os.close(self.descriptor)
            self.descriptor = -1
