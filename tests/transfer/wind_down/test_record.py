"""The buyer keeps the certificate, and its digest is in the region's log."""

import pytest
from sqlalchemy import select
from tests.proofs.wind_down import SCOPE, certificate, cutover, signed
from tests.transfer.vectors import BUYER, HOST, SELLER

from reelm.audit.models import AuditEntry
from reelm.foundation.clock import now
from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical
from reelm.proofs.sale import digest_of
from reelm.transfer.current import known
from reelm.transfer.models import RegionTransfer
from reelm.transfer.steps import add_step, steps
from reelm.transfer.wind_down import record_certificate


@pytest.fixture
def bought(session):
    """The sale of the vectors, as the buyer knows it."""
    text = canonical(SCOPE).decode()
    row = RegionTransfer(
        id=5, scope_digest=digest_of(text.encode()), scope=text, proposed_at=now(),
        ended_at=now(), ending="cutover", reason="",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return known(row)


def logged(session):
    return session.scalars(select(AuditEntry.kind)).all().count("transfer.wound_down")


def test_it_is_kept_and_logged_once(session, bought):
    add_step(session, bought.id, "cutover", cutover())
    text = signed(certificate(), SELLER, BUYER)
    digest = record_certificate(session, bought, text)
    assert digest == digest_of(canonical(certificate()))
    assert record_certificate(session, bought, text) == digest
    # With the authority's signature it is the same certificate: kept, and not logged twice.
    assert record_certificate(session, bought, signed(certificate(), SELLER, BUYER, HOST)) == digest
    assert logged(session) == 1
    kept = [step for step in steps(session, bought.id) if step.kind == "certificate"]
    assert len(kept) == 2


def test_one_without_the_buyers_signature_is_not(session, bought):
    with pytest.raises(Invalid, match="no cutover here"):
        record_certificate(session, bought, signed(certificate(), SELLER, BUYER))
    add_step(session, bought.id, "cutover", cutover())
    with pytest.raises(Invalid, match="0 good signatures of the buyer"):
        record_certificate(session, bought, signed(certificate(), SELLER))
    assert logged(session) == 0
