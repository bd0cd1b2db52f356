"""The wind-down of docs/wind-down.md: the sale of docs/transfer.md, and seeds of one byte."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from tests.transfer.factory import public
from tests.transfer.vectors import BUYER, HOST, SELLER, scope

from reelm.accounts.canary import canary_text
from reelm.accounts.keys import FORM as SEALED_FORM
from reelm.foundation.envelope import add_signatures, sign_envelope
from reelm.foundation.strict_json import canonical
from reelm.proofs import certificate as form
from reelm.proofs import handover, sale
from reelm.proofs.certificate import Certificate, Copy, Custody, Hold, Probe
from reelm.proofs.certified import verify_certificate
from reelm.proofs.handover import cutover_digest
from reelm.proofs.journal import FIRST, Line, digest_of_line, head_of
from reelm.proofs.keys import endorse, origin

SCOPE = scope()
AUTHORITIES = [public(HOST)]
AT = "2026-11-23T13:00:00Z"
SEED = "00112233445566778899aabbccddeeff"
# Of the vectors: everybody may have them.
REGION_KEY, DATA_KEY, NONCE = bytes([9] * 32), bytes([8] * 32), bytes([7] * 12)
OWNER = 77


def cutover(buyer: Ed25519PrivateKey | None = BUYER) -> bytes:
    """Return the cutover, signed by the seller and perhaps the buyer."""
    told = handover.Cutover(
        form=handover.CUTOVER_FORM,
        region=SCOPE.region,
        transfer_id="5",
        scope_digest=sale.digest_of(canonical(SCOPE)),
        closing_digest="33" * 32,
        receipt_digest="44" * 32,
        from_epoch=1,
        to_epoch=2,
        seller_key=public(SELLER),
        buyer_key=public(BUYER),
        operator="Buyer",
        address="https://buyer.example",
        log=handover.LogSize(5, "55" * 32),
        endorsement=endorse(SELLER, origin(SCOPE.region), bytes.fromhex(public(BUYER)), 2).hex(),
        ended_at="2026-11-23T11:00:00Z",
    )
    text = handover.sign_cutover(told, SELLER)
    return text if buyer is None else add_signatures(text, handover.CUTOVER_TYPE, [buyer])


def canary() -> form.Canary:
    """Return a canary that the region key of the vectors opens."""
    kdf = HKDF(hashes.SHA256(), 32, salt=None, info=b"reelm region key: wrap")
    wrapping = AESGCM(kdf.derive(REGION_KEY))
    place = f"account_key.wrapped_key.{OWNER}".encode()
    sealed = AESGCM(DATA_KEY).encrypt(
        NONCE, canary_text(SEED).encode(), f"account_private.birth_date.{OWNER}".encode()
    )
    return form.Canary(
        owner=str(OWNER),
        place="account_private.birth_date",
        wrapped=(SEALED_FORM + NONCE + wrapping.encrypt(NONCE, DATA_KEY, place)).hex(),
        sealed=(SEALED_FORM + NONCE + sealed).hex(),
        text_digest=sale.digest_of(canary_text(SEED).encode()),
    )


def journal() -> bytes:
    """Return a journal of three lines."""
    text, previous = b"", FIRST
    told: list[tuple[str, dict[str, str]]] = [
        ("begun", {"region": SCOPE.region}),
        ("found", {"name": "database", "place": "region/postgres"}),
        ("destroyed", {"name": "database", "method": "removed"}),
    ]
    for number, (kind, facts) in enumerate(told, 1):
        line = Line(number=number, previous=previous, at=AT, kind=kind, facts=facts)
        text += canonical(line) + b"\n"
        previous = digest_of_line(canonical(line))
    return text


def certificate() -> Certificate:
    """Return a certificate that leaves nothing out."""
    return Certificate(
        form=form.FORM,
        region=SCOPE.region,
        scope_digest=sale.digest_of(canonical(SCOPE)),
        closing_digest="33" * 32,
        cutover_digest=cutover_digest(cutover()),
        seller_key=public(SELLER),
        buyer_key=public(BUYER),
        register=[
            *(_copy(name) for name in form.REQUIRED_COPIES),
            Copy(
                name="logs",
                place="region/logs",
                holder="Seller",
                holds="2 files",
                outcome="held",
                method="",
                at=AT,
                hold=Hold(basis="Order 7/2026 of the Court", until="2027-03-01"),
                attested_by="",
            ),
        ],
        custody=[
            Custody(
                name="region-key",
                kind="wraps every account's data key",
                kept="a file in keys/",
                outcome="destroyed",
                method="overwritten and removed",
                at=AT,
            )
        ],
        probes=[
            Probe(
                name=name,
                phase="after",
                tried="tried",
                expected="to be refused",
                found="refused",
                passed=True,
                at=AT,
            )
            for name in form.REQUIRED_PROBES
        ],
        canary=canary(),
        journal=head_of(journal()),
        cannot_be_proven=list(form.CANNOT_BE_PROVEN),
        made_at=AT,
    )


def signed(stated: Certificate, *keys: Ed25519PrivateKey) -> bytes:
    return sign_envelope(canonical(stated), form.PAYLOAD_TYPE, list(keys))


def verified(stated: Certificate) -> list[str]:
    """Return what a certificate claims, signed by all."""
    text = signed(stated, SELLER, BUYER, HOST)
    return verify_certificate(text, SCOPE, cutover(), AUTHORITIES)


def _copy(name: str) -> Copy:
    return Copy(
        name=name,
        place=f"region/{name}",
        holder="Seller",
        holds="all",
        outcome="destroyed",
        method="removed",
        at=AT,
        hold=None,
        attested_by="Head of operations" if name == "staff-devices" else "",
    )
