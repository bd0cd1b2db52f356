"""A witness: it keeps the last checkpoint of each log that it saw, and signs only what follows.

It is a folder with a key and one file for each log. What it has seen is on the disk before its
signature leaves it, so that it never signs two roots for one size.
"""

import fcntl
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reelm.foundation.clock import now
from reelm.foundation.durable import write_whole
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.foundation.home import write_secret
from reelm.proofs.keys import origin_of
from reelm.proofs.merkle import BadProof, check_consistency
from reelm.proofs.note import (
    COSIGNATURE,
    Checkpoint,
    Note,
    Signature,
    VerifierKey,
    cosign,
    log_key,
    public_bytes,
)
from reelm.proofs.proof_file import ConsistencyProof, decode, signed_checkpoint
from reelm.proofs.verify import Expected, verify_export

KEY, NAME, SEEN, LOCK = "witness-ed25519.pem", "name", "seen", "lock"


class Seen(msgspec.Struct, frozen=True):
    """The last checkpoint of a log, and the key that signs it."""

    note: str
    log_key: str


class Refused(Exception):
    """The witness does not sign; the sentence says what contradicts what it has seen."""


def make_witness(folder: Path, name: str) -> VerifierKey:
    """Make a witness with a key of its own, and return the key that others know it by.

    Raises:
        Conflict: there is something in the folder.
        Invalid: the name is no key's name.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is no empty folder: choose a new one for the witness.")
    key = Ed25519PrivateKey.generate()
    known = VerifierKey(name, COSIGNATURE, public_bytes(key))
    (folder / SEEN).mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_secret(folder / KEY, pem.decode("ascii").strip())
    (folder / NAME).write_text(name + "\n", "utf-8")
    return known


class Witness:
    """A witness's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.name = (folder / NAME).read_text("utf-8").strip()
            pem = (folder / KEY).read_bytes()
        except FileNotFoundError:
            raise Missing(f"{folder} is no witness: make one by witness init.") from None
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, Ed25519PrivateKey):
            raise Invalid(f"{folder / KEY} is not an Ed25519 key.")
        self._key = key

    @property
    def key(self) -> VerifierKey:
        """The key that others know the witness by."""
        return VerifierKey(self.name, COSIGNATURE, public_bytes(self._key))

    def seen(self, origin: str) -> Seen | None:
        """Return the last checkpoint of a log that this witness saw."""
        path = self._path(origin)
        return msgspec.json.decode(path.read_bytes(), type=Seen) if path.exists() else None

    def cosign_by_proof(self, note: Note, proof: ConsistencyProof | None, known: str) -> Signature:
        """Sign a checkpoint that a consistency proof leads to from the last one.

        Args:
            note: the checkpoint.
            proof: from the last one to this; None where this is the first or the same again.
            known: the log's key, where the witness sees it for the first time; else empty.

        Raises:
            Refused: it contradicts what was seen, or nothing shows that it follows from it.
        """
        checkpoint = Checkpoint.parse(note.text)
        with self._alone():
            seen = self.seen(checkpoint.origin)
            key = self._key_of(checkpoint.origin, seen, known)
            try:
                signed_checkpoint(note, key)
                if seen is not None:
                    _check_follows(Checkpoint.parse(Note.parse(seen.note).text), checkpoint, proof)
            except BadProof as error:
                raise Refused(str(error)) from None
            return self._sign(note, key)

    def cosign_by_log(self, note: Note, lines: Iterator[bytes]) -> Signature:
        """Sign a checkpoint after verifying the whole exported log.

        Raises:
            Refused: the log is not sound, contradicts what was seen, or has no such checkpoint.
        """
        checkpoint = Checkpoint.parse(note.text)
        with self._alone():
            seen = self.seen(checkpoint.origin)
            before = [] if seen is None else [Note.parse(seen.note)]
            last = Checkpoint.parse(before[0].text).size if before else 0
            if checkpoint.size < last:
                raise Refused(_went_back(last, checkpoint.size))
            report = verify_export(lines, Expected(checkpoint.origin, previous=[*before, note]))
            if report.first is not None:
                raise Refused(report.first.sentence)
            key = log_key(checkpoint.origin, bytes.fromhex(report.key))
            try:
                signed_checkpoint(note, key)
            except BadProof as error:
                raise Refused(str(error)) from None
            return self._sign(note, key)

    def _key_of(self, origin: str, seen: Seen | None, known: str) -> VerifierKey:
        if known:
            key = VerifierKey.parse(known)
            if seen is None and origin_of(key.public) != origin:
                raise Refused(
                    f"{origin} does not follow from this key, so it is not the log's first: give "
                    "the exported log, which shows how the key changed."
                )
            if seen is not None and seen.log_key != key.text:
                raise Refused("The log's key is another than this witness knows: give the log.")
            return key
        if seen is None:
            raise Refused(f"This witness sees {origin} for the first time: give its key or log.")
        return VerifierKey.parse(seen.log_key)

    def _sign(self, note: Note, key: VerifierKey) -> Signature:
        seen = Seen(str(Note(note.text, tuple(note.by(key)))), key.text)
        write_whole(self._path(key.name), msgspec.json.encode(seen))
        return cosign(note.text, self.name, self._key, int(now().timestamp()))

    def _path(self, origin: str) -> Path:
        # An origin is text from outside; a file's name is not.
        return self.folder / SEEN / (re.sub(r"[^A-Za-z0-9]", "_", origin)[:100] + _tail(origin))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _tail(origin: str) -> str:
    return f"-{hashlib.sha256(origin.encode()).hexdigest()[:16]}.json"


def _check_follows(
    last: Checkpoint, checkpoint: Checkpoint, proof: ConsistencyProof | None
) -> None:
    if checkpoint.size < last.size:
        raise Refused(_went_back(last.size, checkpoint.size))
    if checkpoint.size == last.size:
        if checkpoint.root != last.root:
            raise Refused(f"The log has forked: two roots are signed for size {last.size}.")
        return
    if proof is None:
        raise Refused(f"Nothing shows that it follows from size {last.size}: give proof or log.")
    check_consistency(last.size, last.root, checkpoint.size, checkpoint.root, decode(proof.path))


def _went_back(last: int, size: int) -> str:
    return f"The log has gone back: it was of size {last}, and this checkpoint is of size {size}."
