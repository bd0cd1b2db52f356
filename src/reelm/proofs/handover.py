"""What seller and buyer sign of the move: the buyer's receipt, and the cutover that both sign.

docs/transfer.md describes each field. Nothing here needs a database: whoever holds the documents
checks them.
"""

import hashlib
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from reelm.foundation.envelope import read_envelope, sign_envelope, signers
from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical, decoded
from reelm.proofs.keys import is_endorsed, origin
from reelm.proofs.sale import Digest, Id, Key, Name, Region, Scope, Words

RECEIPT_FORM: Literal["reelm-receipt/1"] = "reelm-receipt/1"
CUTOVER_FORM: Literal["reelm-cutover/1"] = "reelm-cutover/1"
RECEIPT_TYPE = "application/vnd.reelm.receipt+json"
CUTOVER_TYPE = "application/vnd.reelm.cutover+json"

Utc = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")]
Address = Annotated[str, Meta(pattern=r"^(https?://[^\s\"'<>]{1,300})?$")]


# So many fit into a document of 256 KiB (foundation/envelope.py), with two signatures.
MOST_ERASURES = 5000


class LogSize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How large the region's audit log is, and its root."""

    size: int
    root: Digest


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the buyer found: every root equal in its own database, or what differs."""

    form: Literal["reelm-receipt/1"]
    region: Region
    scope_digest: Digest
    # SHA-256 of the closing manifest, as it was signed; empty where none could be read.
    closing_digest: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?$")]
    epoch: int
    outcome: Literal["equal", "disputed"]
    # What differs: the table, row, object or file; empty where all is equal.
    found: Words
    log: LogSize | None
    # Where the buyer will answer.
    address: Address
    made_at: Utc


class Cutover(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """The seller ends its tenure, the buyer begins its own: in one document that both sign."""

    form: Literal["reelm-cutover/1"]
    region: Region
    transfer_id: Id
    scope_digest: Digest
    closing_digest: Digest
    receipt_digest: Digest
    from_epoch: int
    to_epoch: int
    seller_key: Key
    buyer_key: Key
    operator: Name
    address: Address
    # The log as it goes on with the buyer, whom the seller's key endorses (docs/audit.md).
    log: LogSize
    endorsement: Annotated[str, Meta(pattern=r"^[0-9a-f]{128}$")]
    # Accounts whose erasure was asked for after the seal: the buyer erases them. As in the audit
    # log, which names whoever is erased, by id alone; left out where there is none.
    erasures: Annotated[list[Id], Meta(max_length=MOST_ERASURES)] = []
    ended_at: Utc


def sign_receipt(receipt: Receipt, key: Ed25519PrivateKey) -> bytes:
    """Return the DSSE envelope of a receipt."""
    return sign_envelope(canonical(receipt), RECEIPT_TYPE, [key])


def sign_cutover(cutover: Cutover, key: Ed25519PrivateKey) -> bytes:
    """Return the DSSE envelope of a cutover with the seller's signature."""
    return sign_envelope(canonical(cutover), CUTOVER_TYPE, [key])


def read_receipt(text: bytes, scope: Scope) -> tuple[Receipt, str]:
    """Read a receipt that the buyer of a scope has signed; return it with its digest.

    Raises:
        Invalid: it is none, or not signed by the buyer, or about another region or epoch.
    """
    envelope = read_envelope(text, RECEIPT_TYPE)
    if not signers(envelope, [scope.buyer.public_key], 0):
        raise Invalid("The receipt is not signed by the buyer's key.")
    receipt = decoded(envelope.payload, Receipt, f"The receipt is not in the form {RECEIPT_FORM}")
    _check_address(receipt.address)
    if (receipt.region, receipt.epoch) != (scope.region, scope.seller.epoch):
        raise Invalid("The receipt is about another region or epoch than is sold.")
    return receipt, hashlib.sha256(envelope.payload).hexdigest()


def read_cutover(text: bytes, scope: Scope, scope_digest: str) -> tuple[Cutover, set[str]]:
    """Read a cutover of this scope; return it with who of seller and buyer has signed it.

    Raises:
        Invalid: it is none, the seller has not signed it, or it is about another sale.
    """
    envelope = read_envelope(text, CUTOVER_TYPE)
    keys = {"seller": scope.seller.public_key, "buyer": scope.buyer.public_key}
    sides = {side for side, key in keys.items() if signers(envelope, [key], 0)}
    if "seller" not in sides:
        raise Invalid("The cutover is not signed by the seller's key.")
    cutover = decoded(envelope.payload, Cutover, f"The cutover is not in the form {CUTOVER_FORM}")
    _check_address(cutover.address)
    _check_about(cutover, scope, scope_digest)
    return cutover, sides


def signature_of(text: bytes, key_id: str) -> str:
    """Return the signature of a key in an envelope, in hex; empty where it has none."""
    envelope = read_envelope(text, CUTOVER_TYPE)
    found = envelope.signatures.get(key_id)
    return "" if found is None else str(found.signature)


def cutover_digest(text: bytes) -> str:
    """Return the digest of what both operators signed at the cutover."""
    return hashlib.sha256(read_envelope(text, CUTOVER_TYPE).payload).hexdigest()


def _check_address(address: str) -> None:
    """Refuse an address to which the old one could send nobody; empty is none."""
    try:
        parts = urlsplit(address)
        is_one = bool(parts.hostname) and address.isascii() and (parts.port or 1) > 0
    except ValueError:
        is_one = False
    if address and not is_one:
        raise Invalid(f"{address!r} is no address of a service.")


def _check_about(cutover: Cutover, scope: Scope, scope_digest: str) -> None:
    told = (
        cutover.region, cutover.scope_digest, cutover.seller_key, cutover.buyer_key,
        cutover.from_epoch, cutover.to_epoch,
    )  # fmt: skip
    known = (
        scope.region, scope_digest, scope.seller.public_key, scope.buyer.public_key,
        scope.seller.epoch, scope.seller.epoch + 1,
    )  # fmt: skip
    if told != known:
        raise Invalid("The cutover is about another sale: region, scope, operators or epoch.")
    old, new = bytes.fromhex(cutover.seller_key), bytes.fromhex(cutover.buyer_key)
    endorsement = bytes.fromhex(cutover.endorsement)
    if not is_endorsed(old, origin(scope.region), new, cutover.to_epoch, endorsement):
        raise Invalid("The cutover does not hand the audit log to the buyer's key.")
