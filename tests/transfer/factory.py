"""A sale with everybody in it: seller, buyer, a host authority, an exporter's, and a court."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.regions.factory import Body, make_body

from reelm import regions, transfer
from reelm.foundation.clock import now, utc_text
from reelm.foundation.database import Session
from reelm.foundation.errors import Conflict, Invalid
from reelm.foundation.parts import Parts
from reelm.proofs import sale
from reelm.proofs.sale import Buyer, Conditions
from reelm.regions import orders
from reelm.regions.models import Tenure
from reelm.transfer.models import RegionTransfer

DAY = timedelta(days=1)
EXPORTER = "BV"


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def make_buyer(key: Ed25519PrivateKey, country: str = "AQ", **changed: Any) -> Buyer:
    fields = {
        "operator": "Demo Buyer",
        "public_key": public(key),
        "recipient": str(pyrage.x25519.Identity.generate().to_public()),
        "country": country,
    }
    return Buyer(**{**fields, **changed})


def make_authority(
    session: Session,
    name: str,
    power: str,
    *,
    keys: int = 1,
    threshold: int = 1,
    country: str | None = None,
) -> Body:
    private = [Ed25519PrivateKey.generate() for _ in range(keys)]
    new = orders.NewAuthority(
        name=name,
        powers=(power,),
        keys=[public(key) for key in private],
        threshold=threshold,
        objections="https://demo.invalid/objections",
        country=country,
    )
    identity = pyrage.x25519.Identity.generate()
    return Body(orders.add_authority(session, new), regions.region_id(session), private, identity)


@dataclass
class Sale:
    """Everybody who has a part in a sale, and the proposal once there is one."""

    session: Session
    parts: Parts
    host: Body
    exporter: Body
    court: Body
    buyer_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    proposal: transfer.Proposal | None = None
    said: int = 0

    @property
    def seller_key(self) -> Ed25519PrivateKey:
        return self.parts.home.operator_key()

    @property
    def scope(self) -> sale.Scope:
        assert self.proposal is not None
        return self.proposal.scope

    def propose(
        self, choices: transfer.Choices | None = None, *, cutover_before=None, **changed: Any
    ) -> transfer.Proposal:
        buyer = make_buyer(self.buyer_key, **changed)
        self.proposal = transfer.propose(
            self.session,
            self.parts,
            buyer,
            choices or transfer.Choices(),
            Conditions(cutover_before=cutover_before),
        )
        return self.proposal

    def submit(self, envelope: bytes) -> transfer.TakenStatement:
        return transfer.submit_statement(self.session, envelope)

    def signature(self, *keys: Ed25519PrivateKey) -> bytes:
        return transfer.sign_scope(self.scope, keys, transfer.Said(), now())

    def signed(self) -> None:
        """Hand in both sides' signatures."""
        for key in (self.seller_key, self.buyer_key):
            self.submit(self.signature(key))

    def statement(self, by: Body, decision: str = "approve", **changed: Any) -> dict[str, Any]:
        """Return the fields of a decision, with any of them changed; None takes one away."""
        assert self.proposal is not None
        self.said += 1
        fields = {
            "form": sale.APPROVAL_FORM,
            "region": by.region,
            "authority": str(by.id),
            "reference": f"decision {self.said}",
            "scope_digest": self.proposal.digest,
            "buyer_key": public(self.buyer_key),
            "decision": decision,
            # Later than what was said before, as a desk's clock would have it.
            "issued_at": utc_text(now() - timedelta(minutes=4) + timedelta(seconds=self.said)),
        }
        if decision == "approve":
            fields["valid_until"] = utc_text(now() + 30 * DAY)
        fields |= changed
        return {name: value for name, value in fields.items() if value is not None}

    def decision(
        self,
        by: Body,
        decision: str = "approve",
        *,
        keys: Sequence[Ed25519PrivateKey] | None = None,
        **changed: Any,
    ) -> bytes:
        payload = msgspec.json.encode(self.statement(by, decision, **changed))
        return orders.sign_envelope(payload, sale.APPROVAL_TYPE, list(keys or by.keys))

    def approved(self, **changed: Any) -> None:
        """Propose, sign, and let the host approve under these conditions."""
        self.propose()
        self.signed()
        self.submit(self.decision(self.host, **changed))

    def order(self, by: Body, kind: str, **fields: Any) -> str:
        """Let an authority give an order; return its reference."""
        statement = by.statement(kind, **fields)
        pack = regions.load_pack("neutral")
        orders.accept_signed(self.session, pack, by.sign(statement), lambda _: [])
        return str(statement["reference"])

    def lacks(self) -> list[tuple[str, str]]:
        return [(one.kind, one.of) for one in transfer.check_approvals(self.session)]

    def state(self) -> str:
        return transfer.status(self.session).state


def make_sale(session: Session, parts: Parts) -> Sale:
    return Sale(
        session,
        parts,
        make_authority(session, "Host", "approve_transfer", keys=3, threshold=2, country="AQ"),
        make_authority(session, "Exporter", "license_technology", country=EXPORTER),
        make_body(session, ("supervise",)),
    )


def bought(session: Session, sale: Sale, *, days_ago: int) -> None:
    """Put the buyer in charge since some days ago."""
    assert sale.proposal is not None
    began_at = now() - days_ago * DAY
    session.get_one(Tenure, 1).ended_at = began_at
    key = sale.scope.buyer.public_key
    session.add(Tenure(epoch=2, operator="Demo Buyer", public_key=key, began_at=began_at))
    row = session.get_one(RegionTransfer, sale.proposal.transfer_id)
    row.ended_at, row.ending = began_at, "cutover"
    session.flush()


def refused_at_the_door(sale, envelope, words):
    with pytest.raises((Invalid, Conflict), match=words):
        sale.submit(envelope)
