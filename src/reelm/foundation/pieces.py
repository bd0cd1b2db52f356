"""Bytes that come in pieces, for a library that wants a file to read."""

from collections.abc import Iterable


class Pieces:
    """Bytes that come in pieces, as a file that can only be read.

    It remembers what stopped the reading: a library in another language keeps the words of an
    exception and not its kind.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._piece, self._at = b"", 0
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `size`, none at the end."""
        while self._at >= len(self._piece):
            try:
                piece = next(self._pieces, None)
            except BaseException as error:
                self.error = error
                raise
            if piece is None:
                return b""
            self._piece, self._at = piece, 0
        end = len(self._piece) if size < 0 else self._at + size
        taken = self._piece[self._at : end]
        self._at += len(taken)
        return taken
