"""The certificate of a wind-down: what became of each copy and key that the seller had.

The seller states it and signs; the buyer and the authorities that had to approve the sale sign the
same bytes. docs/wind-down.md describes each field. Nothing here needs a database.
"""

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from reelm.foundation.envelope import read_envelope
from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical, decoded
from reelm.proofs.handover import Utc
from reelm.proofs.journal import Head
from reelm.proofs.sale import (
    Digest,
    Key,
    Name,
    Region,
    RequiredApproval,
    Scope,
    Words,
)

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope

FORM: Literal["reelm-winding-down/1"] = "reelm-winding-down/1"
PAYLOAD_TYPE = "application/vnd.reelm.winding-down+json"
MAX_BYTES = 4 << 20

# What no certificate can show. The sentences are fixed, so that none is left out of one.
CANNOT_BE_PROVEN = (
    "Deletion itself cannot be proven: what was done, and looked for afterwards, is signed.",
    "A copy of a key or of plain data that was made before, on no register, cannot be excluded.",
    "Who read data while it was served may remember it, or have written it down.",
    "Overwriting does not reach every block of a solid-state disk or of a provider's storage.",
    "A provider's store or database may keep versions, logs and backups that are not seen here.",
    "The seller is superuser of its own database and machines, and could run other software.",
    "What stands as declared was stated by the person named, and not looked at by the software.",
)
# What every register says something about.
REQUIRED_COPIES = ("database", "database-wal", "object-store", "staff-devices")
REQUIRED_PROBES = (
    "database", "session", "password", "staff", "serving-role", "sealed-canary", "plain-canary",
    "region-key", "objects", "old-address",
)  # fmt: skip
REGION_KEY = "region-key"

Outcome = Literal["destroyed", "transferred", "held"]
Date = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
Count = Annotated[int, Meta(ge=0)]


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the document: what it does not name is refused."""


class Hold(_Form, frozen=True):
    """Why a copy has to be kept, and until when."""

    basis: Name
    until: Date


class Copy(_Form, frozen=True):
    """One copy on the register; `attested_by` is empty where the software itself found it."""

    name: Name
    place: Words
    holder: Name
    holds: Words
    outcome: Outcome
    method: Words
    at: Utc
    hold: Hold | None
    attested_by: Annotated[str, Meta(max_length=200)]


class Custody(_Form, frozen=True):
    """One key: where it was kept, who could reach it, and what became of it."""

    name: Name
    kind: Words
    kept: Words
    outcome: Literal["destroyed", "kept"]
    method: Words
    at: Utc


class Probe(_Form, frozen=True):
    """Something that was tried; before the destruction, to show that it can find what is there."""

    name: Name
    phase: Literal["before", "after"]
    tried: Words
    expected: Words
    found: Words
    passed: bool
    at: Utc


class Canary(_Form, frozen=True):
    """A value that was sealed as any person's is: whoever finds a key can try it on this.

    `wrapped` is the data key under the region key, `sealed` the text under the data key, both as
    docs/wind-down.md describes; `text_digest` is of the text.
    """

    owner: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,18}$")]
    place: Name
    wrapped: Annotated[str, Meta(pattern=r"^([0-9a-f]{2})+$")]
    sealed: Annotated[str, Meta(pattern=r"^([0-9a-f]{2})+$")]
    text_digest: Digest


class Certificate(_Form, frozen=True):
    """What the seller states at the end."""

    form: Literal["reelm-winding-down/1"]
    region: Region
    scope_digest: Digest
    closing_digest: Digest
    cutover_digest: Digest
    seller_key: Key
    buyer_key: Key
    register: Annotated[list[Copy], Meta(max_length=10_000)]
    custody: Annotated[list[Custody], Meta(max_length=1000)]
    probes: Annotated[list[Probe], Meta(max_length=1000)]
    canary: Canary
    journal: Head
    cannot_be_proven: list[Words]
    made_at: Utc


def opened(text: bytes) -> tuple[Certificate, "Envelope"]:
    """Read a certificate and its envelope; the signatures are not looked at yet.

    Raises:
        Invalid: it is none, or its bytes are not canonical.
    """
    envelope = read_envelope(text, PAYLOAD_TYPE, most_bytes=MAX_BYTES)
    payload: bytes = envelope.payload
    certificate = decoded(payload, Certificate, f"The certificate is not in the form {FORM}")
    if canonical(certificate) != payload:
        raise Invalid("The certificate is not in canonical form (RFC 8785).")
    return certificate, envelope


def authorities(scope: Scope) -> list[RequiredApproval]:
    """Return who has to cosign: each authority that had to approve the transfer."""
    return [one for one in scope.approvals if one.power == "approve_transfer"]
