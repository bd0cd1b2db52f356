"""Proofs as files: an entry is in the log, or a later log begins with an earlier one."""

import base64
from collections.abc import Sequence
from typing import Literal

import msgspec

from reelm.foundation.errors import Invalid
from reelm.proofs.keys import origin_of
from reelm.proofs.merkle import BadProof, check_consistency, leaf_hash, root_by_inclusion
from reelm.proofs.note import ED25519, Checkpoint, Note, VerifierKey


class InclusionProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="inclusion"):
    """An entry's bytes, its place, the path from its leaf upwards, and the signed root."""

    leaf: str
    index: int
    path: list[str]
    checkpoint: str
    log_key: str


class ConsistencyProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="consistency"):
    """Two checkpoints and the path that leads to the roots of both."""

    first: str
    second: str
    path: list[str]
    log_key: str


Proof = InclusionProof | ConsistencyProof


class Proven(msgspec.Struct, frozen=True):
    """What a proof has shown; `key_is_known` where the key was given or the origin tells it."""

    what: Literal["inclusion", "consistency"]
    origin: str
    size: int
    key_is_known: bool
    first_size: int | None = None
    index: int | None = None
    leaf: str | None = None


def encode(path: Sequence[bytes]) -> list[str]:
    """Return a path as base64."""
    return [base64.b64encode(node).decode() for node in path]


def decode(path: Sequence[str]) -> list[bytes]:
    """Return a path from base64.

    Raises:
        Invalid: it is none.
    """
    try:
        return [base64.b64decode(node, validate=True) for node in path]
    except ValueError:
        raise Invalid("The path of this proof is no list of base64 texts.") from None


def read_proof(data: bytes) -> Proof:
    """Read a proof.

    Raises:
        Invalid: the file is none.
    """
    try:
        proof: Proof = msgspec.json.decode(data, type=Proof)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Invalid(f"This is no proof: {error}.") from None
    return proof


def check_proof(proof: Proof, known: VerifierKey | None) -> Proven:
    """Check a proof and say what it shows.

    Args:
        proof: as `read_proof` gives it.
        known: the log's key from elsewhere; without it the one in the proof is taken, and the
            outcome says whether the origin itself tells that it is the log's.

    Raises:
        BadProof: it shows nothing; says why.
    """
    key = known or VerifierKey.parse(proof.log_key)
    is_known = known is not None or origin_of(key.public) == key.name
    if isinstance(proof, InclusionProof):
        checkpoint = signed_checkpoint(Note.parse(proof.checkpoint), key)
        leaf = leaf_hash(proof.leaf.encode())
        root = root_by_inclusion(leaf, proof.index, checkpoint.size, decode(proof.path))
        if root != checkpoint.root:
            raise BadProof(
                f"The path from this entry at {proof.index} does not lead to the signed root of "
                f"size {checkpoint.size}: the entry was not in the log, or was another."
            )
        return Proven(
            "inclusion",
            checkpoint.origin,
            checkpoint.size,
            is_known,
            index=proof.index,
            leaf=proof.leaf,
        )
    first = signed_checkpoint(Note.parse(proof.first), key)
    second = signed_checkpoint(Note.parse(proof.second), key)
    check_consistency(first.size, first.root, second.size, second.root, decode(proof.path))
    return Proven("consistency", second.origin, second.size, is_known, first_size=first.size)


def signed_checkpoint(note: Note, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint of a note that the log's key has signed.

    Raises:
        BadProof: it is of another log, or the key has not signed it.
    """
    checkpoint = Checkpoint.parse(note.text)
    if key.type != ED25519 or checkpoint.origin != key.name:
        raise BadProof(f"{key.name} is not the key of the log {checkpoint.origin}.")
    if not any(one.verifies(key, note.text) for one in note.by(key)):
        raise BadProof(f"The checkpoint of size {checkpoint.size} is not signed by the log's key.")
    return checkpoint
