"""What the buyer sees to by itself, whatever the seller says."""

import msgspec
import pytest
from sqlalchemy import select, text

from reelm import accounts, app, regions, transfer
from reelm.accounts.models import Account
from reelm.foundation.errors import Conflict, Invalid
from reelm.proofs import handover
from reelm.transfer import move


def test_a_cutover_of_a_sale_that_was_not_approved_is_not_signed(moving):
    moving.verified()
    move.cut_over(moving.seller, moving.exchange)
    with moving.buyer.transaction() as session:
        session.execute(text("DELETE FROM transfer_statement WHERE kind <> 'sale'"))
    with pytest.raises(Conflict, match=r"was not approved.*has not approved this scope"):
        move.countersign(moving.buyer, moving.exchange)
    with moving.buyer.transaction() as session:
        assert regions.current_tenure(session).epoch == 1


def test_nobody_has_a_role_with_the_new_operator(moving):
    with moving.seller.transaction() as session:
        session.execute(text("UPDATE account SET role = 'owner', state = 'active'"))
    moving.cut_over()
    with moving.buyer.transaction() as session:
        assert accounts.list_staff(session) == []
        assert session.scalar(select(Account.id).where(Account.role.is_not(None))) is None


def test_a_home_that_is_to_take_a_region_over_serves_none_before(moving, buyer):
    with pytest.raises(Conflict, match="`reelm transfer verify` brings it in"):
        app.prepare(buyer.home, moving.buyer.settings, buyer.owner)
    with moving.buyer.transaction() as session:
        assert not regions.has_tenure(session)  # which would be in the way of an import


def test_nobody_is_told_of_a_later_freeze_once_it_is_frozen(moving):
    moving.freeze()
    with moving.seller.transaction() as session, pytest.raises(Conflict, match="frozen"):
        transfer.announce(session, moving.seller, notice_days=60)


@pytest.mark.parametrize("address", ["https://[x", "https://a℀b", "https:///x", "http://x:99999"])
def test_an_address_that_leads_nowhere_is_refused(moving, address):
    moving.verified()
    receipt, _ = handover.read_receipt(moving.exchange.receipt.read_bytes(), moving.known().scope)
    other = msgspec.structs.replace(receipt, address=address)
    key = moving.buyer.home.operator_key()
    moving.exchange.receipt.write_bytes(handover.sign_receipt(other, key))
    with pytest.raises(Invalid, match="is no address of a service"):
        move.take_receipt(moving.seller, moving.exchange)
