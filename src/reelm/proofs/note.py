"""Signed notes, checkpoints and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature).

<origin>
<size, decimal>
<root, base64>

— <key name> <base64 of key id and signature>
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from reelm.foundation.errors import Invalid
from reelm.proofs.merkle import HASH_BYTES

ED25519, COSIGNATURE = 0x01, 0x04
KEY_BYTES, ID_BYTES, TIME_BYTES, SIGNATURE_BYTES = 32, 4, 8, 64
MAX_NOTE_CHARACTERS = 64 * 1024
MAX_TIMESTAMP = 2**63 - 1
_NAME = re.compile(r"[^\s+\x00-\x1f]{1,200}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True)
class VerifierKey:
    """A public key with its name and what it signs: ED25519 notes, or COSIGNATURE."""

    name: str
    type: int
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Invalid("A key's name has 1 to 200 characters, without spaces and plus signs.")
        if self.type not in {ED25519, COSIGNATURE} or len(self.public) != KEY_BYTES:
            raise Invalid(f"The key of {self.name} is no Ed25519 key of type 1 or 4.")

    @property
    def id(self) -> bytes:
        """The first four bytes of a hash of name, type and key."""
        text = self.name.encode() + b"\n" + bytes([self.type]) + self.public
        return hashlib.sha256(text).digest()[:ID_BYTES]

    @property
    def text(self) -> str:
        """The key in one line: name, id and base64 of type and key, with `+` between."""
        material = base64.b64encode(bytes([self.type]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{material}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a key's line.

        Raises:
            Invalid: it is none, or its id is not that of the key.
        """
        name, key_id, material = [*text.strip().split("+", 2), "", ""][:3]
        decoded = _unbase64(material)
        if decoded is None or len(decoded) != 1 + KEY_BYTES:
            raise Invalid(f"{text.strip()[:80]!r} is no key: it looks like name+1234abcd+base64.")
        key = cls(name, decoded[0], decoded[1:])
        if key.id.hex() != key_id:
            raise Invalid(f"The id of the key {name} is {key.id.hex()}, and not {key_id}.")
        return key


@dataclass(frozen=True)
class Signature:
    """One signature line; `blob` is what follows the key's id."""

    name: str
    key_id: bytes
    blob: bytes

    @property
    def line(self) -> str:
        """The line as it stands in the note, without its newline."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.blob).decode()}"

    @property
    def timestamp(self) -> int:
        """Seconds since 1970 that a cosignature begins with."""
        return int.from_bytes(self.blob[:TIME_BYTES], "big")

    def is_of(self, key: VerifierKey) -> bool:
        """Whether the line says that it is by this key."""
        return self.name == key.name and self.key_id == key.id

    def verifies(self, key: VerifierKey, text: str) -> bool:
        """Whether it is this key's signature of a note's text."""
        if not self.is_of(key):
            return False
        signature, message = self.blob, text
        if key.type == COSIGNATURE:
            if self.timestamp > MAX_TIMESTAMP:
                return False
            signature, message = self.blob[TIME_BYTES:], cosigned(text, self.timestamp)
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Note:
    """A text with its signature lines."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(one.line + "\n" for one in self.signatures)

    @classmethod
    def parse(cls, note: str) -> "Note":
        """Read a note; nothing of it is verified.

        Raises:
            Invalid: it has not the form of a note.
        """
        text, blank, lines = note.rpartition("\n\n")
        if not blank or len(note) > MAX_NOTE_CHARACTERS or _CONTROL.search(note):
            raise Invalid("This is no signed note: a text, an empty line and signature lines.")
        if not lines.endswith("\n") or lines == "\n":
            raise Invalid("This note has no whole signature line.")
        signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
        return cls(text + "\n", signatures)

    def by(self, key: VerifierKey) -> list[Signature]:
        """Return the lines that say they are by a key."""
        return [one for one in self.signatures if one.is_of(key)]


@dataclass(frozen=True)
class Checkpoint:
    """How large a log is, and the root of its tree at that size."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the text of a checkpoint without extension lines.

        Raises:
            Invalid: it has not that form.
        """
        origin, size, root, rest = [*text.split("\n"), "", "", ""][:4]
        decoded = _unbase64(root)
        if rest or text.count("\n") != 3 or not _NAME.fullmatch(origin):
            raise Invalid("A checkpoint has three lines: origin, size and root.")
        if not re.fullmatch(r"0|[1-9][0-9]{0,15}", size):
            raise Invalid(f"The size of a checkpoint is a decimal number, and not {size[:20]!r}.")
        if decoded is None or len(decoded) != HASH_BYTES:
            raise Invalid("The root of a checkpoint is the base64 of 32 bytes.")
        return cls(origin, int(size), decoded)


def log_key(origin: str, public: bytes) -> VerifierKey:
    """Return the key of a log: its name is the log's origin."""
    return VerifierKey(origin, ED25519, public)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """Return the public half of a key."""
    return key.public_key().public_bytes_raw()


def sign(text: str, name: str, key: Ed25519PrivateKey) -> Signature:
    """Sign a note's text."""
    known = VerifierKey(name, ED25519, public_bytes(key))
    return Signature(name, known.id, key.sign(text.encode()))


def cosign(text: str, name: str, key: Ed25519PrivateKey, timestamp: int) -> Signature:
    """Cosign a checkpoint's text; `timestamp` is in seconds since 1970."""
    known = VerifierKey(name, COSIGNATURE, public_bytes(key))
    signature = key.sign(cosigned(text, timestamp).encode())
    return Signature(name, known.id, timestamp.to_bytes(TIME_BYTES, "big") + signature)


def cosigned(text: str, timestamp: int) -> str:
    """Return the message that a cosignature signs."""
    return f"cosignature/v1\ntime {timestamp}\n{text}"


def _signature(line: str) -> Signature:
    parts = line.split(" ")
    decoded = _unbase64(parts[2]) if len(parts) == 3 and parts[0] == "—" else None
    if decoded is None or len(decoded) <= ID_BYTES or not _NAME.fullmatch(parts[1]):
        raise Invalid(f"{line[:80]!r} is no signature line: — name base64.")
    return Signature(parts[1], decoded[:ID_BYTES], decoded[ID_BYTES:])


def _unbase64(text: str) -> bytes | None:
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Base64 with stray bits would be another text for the same bytes.
    return decoded if base64.b64encode(decoded).decode() == text else None
