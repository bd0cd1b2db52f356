"""Cursors: opaque, signed, and good for one viewer only.

A cursor names what comes next: the batch of the For You tab, or the last video passed in the
Following tab. The viewer's id is under the signature but not in the cursor.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Literal

from reelm.foundation.errors import Invalid

Tab = Literal["for_you", "following"]

_LETTER: dict[Tab, bytes] = {"for_you": b"y", "following": b"f"}
_MAC_BYTES = 15  # 120 bits: nobody guesses one, and 24 bytes fill base64 exactly
NOT_YOURS = "This cursor is not one that this feed gave you; ask again without a cursor."


@dataclass(frozen=True)
class Cursors:
    """Makes and reads the cursors of one viewer."""

    key: bytes
    viewer_id: int

    @classmethod
    def of(cls, region_key: bytes, viewer_id: int) -> "Cursors":
        """Return the cursors of a viewer under this region's key."""
        return cls(hmac.digest(region_key, b"reelm feed cursor", hashlib.sha256), viewer_id)

    def write(self, tab: Tab, number: int) -> str:
        """Return a cursor that carries `number`."""
        plain = _LETTER[tab] + number.to_bytes(8, "big")
        return urlsafe_b64encode(plain + self._mac(plain)).decode()

    def read(self, tab: Tab, cursor: str) -> int:
        """Return the number that a cursor carries.

        Raises:
            Invalid: it was changed, or made for another viewer, tab or region.
        """
        try:
            raw = urlsafe_b64decode(cursor.encode("ascii"))
        except ValueError:
            raise Invalid(NOT_YOURS) from None
        number = int.from_bytes(raw[1:9], "big")
        # Written anew and compared whole: a cursor has one spelling only.
        if not hmac.compare_digest(cursor, self.write(tab, number)):
            raise Invalid(NOT_YOURS)
        return number

    def batch_after(self, batch_id: int) -> int:
        """Return the batch that follows: always the same one, so a repeated request is the same.

        It is as unguessable as the signature, and two tabs' batches never meet.
        """
        return int.from_bytes(self._mac(b"next" + batch_id.to_bytes(8, "big"))[:8], "big") >> 1

    def _mac(self, plain: bytes) -> bytes:
        message = self.viewer_id.to_bytes(8, "big") + plain
        return hmac.digest(self.key, message, hashlib.sha256)[:_MAC_BYTES]
