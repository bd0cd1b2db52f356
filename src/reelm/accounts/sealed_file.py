"""Encrypt to an age recipient, and decrypt, in pieces: neither side is ever whole in memory."""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import pyrage

from reelm.foundation.errors import Invalid, Unavailable


def encrypt_to(path: Path, pieces: Iterable[bytes], recipient: pyrage.x25519.Recipient) -> None:
    """Write a new file with the pieces encrypted; the plain ones touch no disk."""
    source = _Pieces(pieces)
    with path.open("xb") as file:
        try:
            pyrage.encrypt_io(source, file, [recipient])
        except pyrage.EncryptError:
            if source.error is not None:
                raise source.error from None
            raise


def decrypt_to(file: BinaryIO, pieces: Iterable[bytes], identity: pyrage.x25519.Identity) -> None:
    """Write to a file what encrypted pieces hold.

    Raises:
        Invalid: they are encrypted to somebody else.
        Unavailable: they were changed, or their end is missing.
    """
    source = _Pieces(pieces)
    try:
        pyrage.decrypt_io(source, file, [identity])
    except (pyrage.DecryptError, OSError) as error:
        if source.error is not None:
            raise source.error from None
        if "No matching keys" in str(error):
            raise Invalid("This identity does not open the copy: it is of another key.") from None
        raise Unavailable(f"The copy is damaged, or could not be written: {error}.") from None


class _Pieces:
    """Bytes that come in pieces, as a file that can only be read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece = io.BytesIO()
        # What stopped the reading: the library that reads keeps its words and not its kind.
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        """Return some bytes, at most so many; none at the end."""
        while not (taken := self._piece.read(size)):
            try:
                piece = next(self._pieces, None)
            except BaseException as error:
                self.error = error
                raise
            if piece is None:
                return b""
            self._piece = io.BytesIO(piece)
        return taken
