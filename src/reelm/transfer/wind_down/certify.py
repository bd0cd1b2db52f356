"""The certificate: made from the journal, signed by the seller, cosigned by buyer and authority."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reelm.accounts import Canary, canary_text
from reelm.foundation.durable import write_whole
from reelm.foundation.envelope import add_signatures, key_id, sign_envelope
from reelm.foundation.errors import Conflict, Invalid
from reelm.foundation.home import Home
from reelm.foundation.strict_json import canonical
from reelm.proofs import certificate as form
from reelm.proofs.certificate import Certificate, Probe
from reelm.proofs.certified import check_about, check_content, require
from reelm.proofs.sale import Scope, digest_of
from reelm.transfer.wind_down.journal import Journal, open_journal, read_text
from reelm.transfer.wind_down.keys import custody
from reelm.transfer.wind_down.register import Register
from reelm.transfer.wind_down.run import state_of
from reelm.transfer.wind_down.site import Sale, check_seller

CERTIFICATE = "certificate.dsse"
PAYLOAD = "certificate.json"
JOURNAL = "winding-down.jsonl"


def make_certificate(home: Home, sale: Sale) -> bytes:
    """Return the certificate of a wind-down, signed by the seller; the same as long as it holds.

    Raises:
        Conflict: something is not accounted for, or a probe found something; says what.
        Missing: nothing was wound down in this home.
    """
    check_seller(home, sale)
    read_text(home)
    with open_journal(home) as journal:
        register = Register(journal, sale.scope.seller.operator)
        state = state_of(journal, register)
        if not state.is_done:
            said = [*state.lacking, *state.failed]
            raise Conflict(f"This cannot be certified yet. {' '.join(said)}")
        # The line is in the journal that the certificate names: one journal, one certificate.
        last = journal.lines[-1]
        if last.kind != "certified":
            last = journal.append("certified")
        stated = _stated(journal, register, sale, last.at)
    check_content(stated)
    return sign_envelope(canonical(stated), form.PAYLOAD_TYPE, [home.operator_key()])


def _stated(journal: Journal, register: Register, sale: Sale, at: str) -> Certificate:
    begun = next(journal.of("begun")).facts
    return Certificate(
        form=form.FORM,
        buyer_key=sale.cutover.buyer_key,
        register=register.copies(),
        custody=custody(journal),
        probes=_probes(journal),
        canary=_canary(journal),
        journal=journal.head,
        cannot_be_proven=list(form.CANNOT_BE_PROVEN),
        made_at=at,
        **begun,
    )


def _probes(journal: Journal) -> list[Probe]:
    """Return the last of each probe, before and after."""
    last = {(line.facts["name"], line.facts["phase"]): line for line in journal.of("probed")}
    return [Probe(**line.facts, at=line.at) for line in last.values()]


def _canary(journal: Journal) -> form.Canary:
    planted = msgspec.convert(next(journal.of("canary")).facts, Canary)
    return form.Canary(
        owner=str(planted.account_id),
        place="account_private.birth_date",
        wrapped=planted.wrapped,
        sealed=planted.sealed,
        text_digest=digest_of(canary_text(planted.seed).encode()),
    )


def write_certificate(home: Home, sale: Sale, exchange: Path) -> Path:
    """Put certificate and journal into the exchange folder; return the certificate's file.

    Signatures that others have put under the same certificate there are kept.
    """
    text = make_certificate(home, sale)
    path = exchange / CERTIFICATE
    if path.exists():
        there, _ = form.opened(path.read_bytes())
        if there == form.opened(text)[0]:
            text = add_signatures(path.read_bytes(), form.PAYLOAD_TYPE, [home.operator_key()])
    payload: bytes = form.opened(text)[1].payload
    for name, data in (
        (JOURNAL, read_text(home)),
        (PAYLOAD, payload + b"\n"),
        (CERTIFICATE, text),
    ):
        write_whole(exchange / name, data)
    return path


def cosign(text: bytes, scope: Scope, cutover: bytes, keys: Sequence[Ed25519PrivateKey]) -> bytes:
    """Return a certificate with these keys' signatures, after it was checked against its sale.

    Raises:
        Invalid: it does not hold, the seller has not signed it, or a key is of nobody in the sale.
    """
    stated, envelope = form.opened(text)
    check_about(stated, scope, cutover)
    check_content(stated)
    require(envelope, [scope.seller.public_key], 1, "the seller")
    public = [key.public_key().public_bytes_raw().hex() for key in keys]
    known = {key_id(scope.buyer.public_key)}.union(*(one.keys for one in form.authorities(scope)))
    if not {key_id(key) for key in public} <= known:
        raise Invalid(
            "This key is neither the buyer's nor of an authority that had to approve the sale."
        )
    return add_signatures(text, form.PAYLOAD_TYPE, list(keys))
