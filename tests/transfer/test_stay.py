"""A court stays the sale: every step but status and abort is refused, until its own lift."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from tests.transfer.factory import make_sale

from reelm import transfer
from reelm.foundation.clock import now
from reelm.foundation.errors import Conflict


def stayed(sale):
    return pytest.raises(Conflict, match=r"stayed: Demo Ministry ordered it \(reference .*since 20")


def test_while_a_stay_is_in_force_no_step_is_taken_but_status_and_abort(sale):
    sale.approved()
    an_hour_ago = now() - timedelta(hours=1)
    signature = transfer.sign_scope(sale.scope, [sale.buyer_key], transfer.Said(), an_hour_ago)
    approval = sale.decision(sale.host)
    reference = sale.order(sale.court, "stay_transfer")
    assert sale.state() == "stayed"
    found = transfer.status(sale.session)
    assert (found.would_be, found.stays[0].reference) == ("approved", reference)
    for step in (
        lambda: sale.submit(signature),
        lambda: sale.submit(approval),
        lambda: transfer.refuse_unless_approved(sale.session),
        lambda: transfer.refuse_if_stayed(sale.session),
        sale.propose,
    ):
        with stayed(sale):
            step()
    transfer.abort(sale.session, "The court will not let it go on.")
    assert sale.state() == "aborted"
    with stayed(sale):
        sale.propose()


def test_the_lift_of_the_stay_lets_the_sale_go_on_where_it_was(sale):
    sale.approved()
    reference = sale.order(sale.court, "stay_transfer")
    sale.order(sale.court, "lift", targets={"orders": [reference]})
    assert sale.state() == "approved"
    assert transfer.refuse_unless_approved(sale.session).id == sale.proposal.transfer_id


def test_each_of_two_stays_has_to_be_lifted(sale):
    sale.approved()
    first, second = (sale.order(sale.court, "stay_transfer") for _ in range(2))
    sale.order(sale.court, "lift", targets={"orders": [first]})
    assert sale.state() == "stayed"
    sale.order(sale.court, "lift", targets={"orders": [second]})
    assert sale.state() == "approved"


def test_an_approval_is_taken_back_also_while_the_sale_is_stayed(sale):
    sale.approved()
    reference = sale.order(sale.court, "stay_transfer")
    sale.submit(sale.decision(sale.host, "revoke"))
    sale.order(sale.court, "lift", targets={"orders": [reference]})
    assert sale.lacks() == [("revoked", "Host")]


def test_a_stay_or_a_revoked_key_waits_for_a_step_that_has_looked_already(parts):
    with parts.transaction() as session:
        sale = make_sale(session, parts)
        sale.approved()
    with parts.transaction() as step:
        transfer.refuse_unless_approved(step)
        with parts.transaction() as other:
            for query in (
                "SELECT 1 FROM authority WHERE id = :id FOR UPDATE NOWAIT",
                "SELECT 1 FROM authority_key WHERE authority_id = :id FOR UPDATE NOWAIT",
                "SELECT 1 FROM transfer WHERE :id > 0 FOR UPDATE NOWAIT",
            ):
                with pytest.raises(OperationalError, match="could not"), other.begin_nested():
                    other.execute(text(query), {"id": sale.host.id})


def test_a_stay_before_any_sale_keeps_one_from_being_proposed(sale):
    assert sale.state() == "none"
    sale.order(sale.court, "stay_transfer")
    assert len(transfer.status(sale.session).stays) == 1
    with stayed(sale):
        sale.propose()
