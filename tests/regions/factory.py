"""Authorities with their keys, and orders that they sign."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reelm import regions
from reelm.foundation.clock import now, utc_text
from reelm.foundation.database import Session
from reelm.regions import orders

ALL_POWERS = ("order_content", "order_service", "order_data")


@dataclass
class Body:
    """An authority that can sign."""

    id: int
    region: str
    keys: list[Ed25519PrivateKey]
    identity: pyrage.x25519.Identity
    made: int = field(default=0)

    def statement(self, kind: str, **fields: Any) -> dict[str, Any]:
        self.made += 1
        return {
            "form": orders.FORM,
            "region": self.region,
            "authority": str(self.id),
            "reference": f"{self.id}-{self.made}",
            "kind": kind,
            "basis": "Demo Act, section 1",
            "issued_at": utc_text(now() - timedelta(minutes=1)),
        } | fields

    def sign(self, statement: dict[str, Any], keys: list[Ed25519PrivateKey] | None = None) -> bytes:
        payload = msgspec.json.encode(statement)
        return orders.sign_envelope(payload, orders.PAYLOAD_TYPE, keys or self.keys)

    def order(self, kind: str, **fields: Any) -> bytes:
        return self.sign(self.statement(kind, **fields))


def make_body(
    session: Session,
    powers: tuple[str, ...] = ALL_POWERS,
    *,
    keys: int = 1,
    threshold: int = 1,
    has_recipient: bool = True,
) -> Body:
    private = [Ed25519PrivateKey.generate() for _ in range(keys)]
    identity = pyrage.x25519.Identity.generate()
    new = orders.NewAuthority(
        name="Demo Ministry",
        powers=powers,
        keys=[key.public_key().public_bytes_raw().hex() for key in private],
        threshold=threshold,
        objections="https://demo.invalid/objections",
        recipient=str(identity.to_public()) if has_recipient else None,
    )
    return Body(orders.add_authority(session, new), regions.region_id(session), private, identity)


def videos(*ids: int) -> dict[str, list[str]]:
    return {"videos": [str(number) for number in ids]}


def people(*ids: int) -> dict[str, list[str]]:
    return {"accounts": [str(number) for number in ids]}
