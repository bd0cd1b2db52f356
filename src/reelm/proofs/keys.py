"""The keys of a log: the first is bound to its origin, each later one is endorsed by the last."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from reelm.proofs.note import public_bytes

KEY_CHANGED = "audit.key_changed"
REGION_BYTES = 16
_PREFIX = "reelm/region/"


def origin_of(first_key: bytes) -> str:
    """Return the origin of the log of the region whose first operator had this key."""
    return origin(hashlib.sha256(first_key).digest()[:REGION_BYTES].hex())


def origin(region_id: str) -> str:
    """Return the origin of a region's log."""
    return _PREFIX + region_id


def endorse(key: Ed25519PrivateKey, origin: str, new_key: bytes, epoch: int) -> bytes:
    """Sign that another key signs the log from here on."""
    return key.sign(_statement(origin, public_bytes(key), new_key, epoch))


def is_endorsed(
    old_key: bytes, origin: str, new_key: bytes, epoch: int, endorsement: bytes
) -> bool:
    """Whether the old key has signed that the new one follows it."""
    if len(new_key) != len(old_key):
        return False
    statement = _statement(origin, old_key, new_key, epoch)
    try:
        Ed25519PublicKey.from_public_bytes(old_key).verify(endorsement, statement)
    except InvalidSignature:
        return False
    return True


def _statement(origin: str, old_key: bytes, new_key: bytes, epoch: int) -> bytes:
    # No origin begins so: it cannot be mistaken for a checkpoint that the same key signs.
    lines = ("reelm audit key change v1", origin, old_key.hex(), new_key.hex(), str(epoch))
    return "".join(line + "\n" for line in lines).encode()
