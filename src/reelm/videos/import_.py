"""Bring in a file that lies on this machine, through the very verbs that uploads use."""

import os
import stat
from io import FileIO
from pathlib import Path

from reelm.foundation.errors import Invalid
from reelm.foundation.parts import Parts
from reelm.videos.draft import Draft
from reelm.videos.receive import begin
from reelm.videos.upload import create, discard_file, terminate

_CHUNK_BYTES = 1 << 20


def import_file(parts: Parts, *, account_id: int, path: Path, draft: Draft) -> int:
    """Upload a local file for an account and return the id of the video it becomes.

    Raises:
        Invalid: it is no regular file, cannot be read, or is empty.
        TooLarge: it is over the limit or the account's quota.
    """
    with _opened(path) as file:
        with parts.transaction() as session:
            upload_id = create(
                session,
                parts,
                account_id=account_id,
                size_bytes=os.fstat(file.fileno()).st_size,
                draft=draft,
            )
        try:
            return _sent(parts, account_id, upload_id, file)
        except BaseException:
            with parts.transaction() as session:
                terminate(session, account_id=account_id, upload_id=upload_id)
            discard_file(parts.home, upload_id)
            raise


def _opened(path: Path) -> FileIO:
    try:
        # Without O_NONBLOCK a pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Invalid(f"The file cannot be read: {error.strerror}.") from None
    except ValueError:
        raise Invalid("The file cannot be read: its name holds a NUL character.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Invalid("This is not a file: give the video itself.")
    return FileIO(descriptor, "rb")


def _sent(parts: Parts, account_id: int, upload_id: int, file: FileIO) -> int:
    arrival = begin(parts, account_id=account_id, upload_id=upload_id, offset_bytes=0)
    try:
        while chunk := file.read(_CHUNK_BYTES):
            arrival.write(chunk)
    except BaseException:
        arrival.cut()
        raise
    received = arrival.end()
    if received.video_id is None:
        raise Invalid("The file became shorter while it was read.")
    return received.video_id
