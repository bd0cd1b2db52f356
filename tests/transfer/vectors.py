"""The sale of docs/transfer.md: seeds of one byte, a scope of a few lines, and what is signed."""

from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.transfer.factory import public

from reelm.foundation.envelope import key_id
from reelm.proofs import sale
from reelm.proofs.sale import Asset, Buyer, Conditions, DataItem, RequiredApproval, Scope, Seller
from reelm.transfer import Said, sign_scope

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
SELLER, BUYER, HOST = (Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n in (1, 2, 3))
RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


def scope() -> Scope:
    """Return the scope of the vectors."""
    return Scope(
        form=sale.SCOPE_FORM,
        region="34750f98bd59fcfc946da45aaabe933b",
        seller=Seller(operator="Seller", public_key=public(SELLER), epoch=1),
        buyer=Buyer(operator="Buyer", public_key=public(BUYER), recipient=RECIPIENT, country="AQ"),
        made_at="2026-11-23T09:00:00Z",
        release="11" * 32,
        schema="0006",
        data=[
            DataItem(
                place="table", name="account", disposition="transfer", rule="transfer", reason=""
            ),
            DataItem(
                place="table",
                name="session",
                disposition="exclude",
                rule="excluded_by_class",
                reason="People sign in again with the new operator.",
            ),
        ],
        technology=[
            Asset(
                name="model",
                kind="model",
                digest="22" * 32,
                origin="BV",
                export_controlled=True,
                disposition="exclude",
                terms="",
                about={"last_seq": "5"},
            )
        ],
        approvals=[
            RequiredApproval(
                authority="42",
                name="Host",
                power="approve_transfer",
                threshold=1,
                keys=[key_id(public(HOST))],
            )
        ],
        conditions=Conditions(),
    )


def signature() -> bytes:
    """Return what seller and buyer sign, in one envelope."""
    return sign_scope(scope(), [SELLER, BUYER], Said(), AT)


def approval() -> bytes:
    """Return what the host signs."""
    said = Said(
        reference="2026/17",
        valid_until=AT + timedelta(days=30),
        conditions=Conditions(data_country="AQ", excluded_assets=["model"]),
    )
    return sign_scope(scope(), [HOST], said, AT)
