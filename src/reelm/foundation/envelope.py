"""Signed statements: DSSE envelopes, opened only with enough good signatures.

The envelope is that of the DSSE protocol 1.0.2 with Ed25519 (RFC 8032). A keyid is the SHA-256 of
the raw public key in hex. What is read is what was signed: the payload's very bytes.
"""

import base64
import hashlib
from typing import TYPE_CHECKING, Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta
from securesystemslib.exceptions import FormatError, VerificationError

from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import decoded

# The library looks for the client of each cloud that keeps keys as it loads, so it is loaded where
# an envelope is at hand, and not at each start. It lists no exports.
if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

MAX_BYTES = 256 * 1024
MOST_SIGNATURES = 32


def read_envelope(text: bytes, *payload_types: str, most_bytes: int = MAX_BYTES) -> "Envelope":
    """Read an envelope of one of these payload types; its signatures are not looked at yet.

    Raises:
        Invalid: it is none, of another type, or too large.
    """
    from securesystemslib.dsse import Envelope

    if len(text) > most_bytes:
        raise Invalid(f"The envelope is larger than {most_bytes // 1024} KiB.")
    checked = msgspec.to_builtins(decoded(text, _Envelope, "This is no DSSE envelope"))
    try:
        envelope = Envelope.from_dict(checked)
    except (ValueError, FormatError):
        raise Invalid(
            "This is no DSSE envelope: payload and signatures are base64, and a keyid signs once."
        ) from None
    if envelope.payload_type not in payload_types:
        raise Invalid(
            f"The payload type is {envelope.payload_type[:80]!r}, and not"
            f" {' or '.join(map(repr, payload_types))}."
        )
    return envelope


def signers(envelope: "Envelope", public_keys: list[str], threshold: int) -> list[str]:
    """Return the ids of the keys that signed, at least `threshold` of those given.

    Args:
        envelope: the envelope.
        public_keys: hex digits of raw Ed25519 public keys, all of one authority or operator.
        threshold: how many of them have to have signed.

    Raises:
        Invalid: there are not enough good signatures.
    """
    from securesystemslib.dsse import Envelope

    keys = [_key(public_key) for public_key in public_keys]
    found = list[str]()
    for key in keys:
        try:
            found += Envelope.verify(envelope, [key], 1)
        except VerificationError:
            continue
    if len(found) < threshold:
        has = f"{len(found) or 'no'} good signature{'s' if len(found) > 1 else ''}"
        needed = "1 is needed" if threshold == 1 else f"{threshold} are needed"
        raise Invalid(f"It has {has} of the authority; {needed}.")
    return sorted(found)


def sign_envelope(payload: bytes, payload_type: str, keys: list[Ed25519PrivateKey]) -> bytes:
    """Return the envelope of a payload signed by these keys, as JSON."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]

    envelope = Envelope(payload, payload_type, {})
    for key in keys:
        public = key.public_key()
        envelope.sign(CryptoSigner(key, _key(public.public_bytes_raw().hex())))
    return msgspec.json.encode(envelope.to_dict())


def add_signatures(text: bytes, payload_type: str, keys: list[Ed25519PrivateKey]) -> bytes:
    """Return an envelope with the signatures of these keys beside those that it has.

    Raises:
        Invalid: it is none, or of another type.
    """
    payload = read_envelope(text, payload_type).payload
    whole = msgspec.json.decode(text)
    more = msgspec.json.decode(sign_envelope(payload, payload_type, keys))
    signed = {one["keyid"]: one for one in (*whole["signatures"], *more["signatures"])}
    return msgspec.json.encode({**whole, "signatures": list(signed.values())})


def key_id(public_key: str) -> str:
    """Return the keyid of a public key given in hex."""
    return hashlib.sha256(bytes.fromhex(public_key)).hexdigest()


def read_public_key(text: str) -> str:
    """Return the hex digits of an Ed25519 public key given as 64 hex digits or base64.

    Raises:
        Invalid: it is none.
    """
    text = text.strip()
    try:
        raw = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
        Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        raise Invalid("An Ed25519 public key is 64 hex digits, or its base64.") from None
    return raw.hex()


def _key(public_key: str) -> "SSlibKey":
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
    return SSlibKey.from_crypto(public, keyid=key_id(public_key))


class _Signature(msgspec.Struct, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, forbid_unknown_fields=True):
    payload: str
    payloadType: str  # noqa: N815 - DSSE's own name
    signatures: Annotated[list[_Signature], Meta(max_length=MOST_SIGNATURES)]
