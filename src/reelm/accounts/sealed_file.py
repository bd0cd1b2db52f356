"""Encrypt to an age recipient, and decrypt, in pieces: neither side is ever whole in memory."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import pyrage

from reelm.foundation.errors import Invalid, Unavailable
from reelm.foundation.pieces import Pieces


def encrypt_to(path: Path, pieces: Iterable[bytes], recipient: pyrage.x25519.Recipient) -> None:
    """Write a new file with the pieces encrypted; the plain ones touch no disk."""
    source = Pieces(pieces)
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
    source = Pieces(pieces)
    try:
        pyrage.decrypt_io(source, file, [identity])
    except (pyrage.DecryptError, OSError) as error:
        if source.error is not None:
            raise source.error from None
        if "No matching keys" in str(error):
            raise Invalid("This identity does not open the copy: it is of another key.") from None
        raise Unavailable(f"The copy is damaged, or could not be written: {error}.") from None
