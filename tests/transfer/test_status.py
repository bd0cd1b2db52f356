"""Where a sale stands, and who has to do what next."""

from datetime import timedelta

import pytest
from tests.transfer.factory import DAY

from reelm import transfer
from reelm.foundation.clock import now
from reelm.foundation.errors import Invalid, Missing


def test_a_sale_goes_from_proposed_to_approved_and_says_who_is_next(sale):
    assert transfer.status(sale.session).next == ["`reelm transfer propose` begins a sale."]
    sale.propose()
    found = transfer.status(sale.session)
    assert (found.state, found.signed_by) == ("proposed", [])
    assert found.next[0].startswith("Test Operator, the seller, signs the scope")
    assert found.next[1].startswith("Demo Buyer, the buyer, signs the scope")
    assert found.next[2].startswith("Host decides on the scope")
    sale.submit(sale.signature(sale.seller_key))
    assert transfer.status(sale.session).signed_by == ["seller"]
    sale.submit(sale.signature(sale.buyer_key))
    assert sale.state() == "signed"
    sale.submit(sale.decision(sale.host))
    found = transfer.status(sale.session)
    assert (found.state, found.lacks) == ("approved", [])
    assert found.next[0].startswith("Everybody who has to agree does: tell people")
    assert found.approvals[0].reference == "decision 1"


def test_one_envelope_may_carry_both_signatures_or_get_the_second_later(sale):
    sale.propose()
    alone = sale.signature(sale.seller_key)
    both = transfer.add_signature(sale.scope, alone, [sale.buyer_key])
    assert sale.submit(alone).is_new
    assert sale.submit(both).is_new
    assert not sale.submit(both).is_new
    assert transfer.status(sale.session).signed_by == ["seller", "buyer"]


def test_a_sale_is_aborted_with_a_reason_and_not_twice(sale):
    sale.approved()
    for reason in ("", "  ", "a\x07", "x" * 1001):
        with pytest.raises(Invalid, match="Say why"):
            transfer.abort(sale.session, reason)
    transfer.abort(sale.session, "The price was not agreed on.")
    found = transfer.status(sale.session)
    assert (found.state, found.reason) == ("aborted", "The price was not agreed on.")
    assert found.lacks == []
    with pytest.raises(Missing):
        transfer.abort(sale.session, "Again.")
    with pytest.raises(Missing):
        transfer.check_approvals(sale.session)


def test_what_the_parties_agreed_as_their_own_end_holds_too(sale):
    before = now() + timedelta(seconds=1)
    sale.propose(cutover_before=before)
    sale.signed()
    sale.submit(sale.decision(sale.host))
    while now() < before:
        pass
    (lack,) = transfer.check_approvals(sale.session)
    assert lack.sentence.startswith("By the scope itself the cutover had to be before")
    assert sale.state() == "signed"


def test_a_scope_without_an_end_has_no_conditions(sale):
    assert b'"conditions":{}' in sale.propose().document
    transfer.abort(sale.session, "Another.")
    assert b'"cutover_before":"' in sale.propose(cutover_before=now() + DAY).document
