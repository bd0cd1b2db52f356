"""What makes a sale unapproved after everything was verified keeps it from its cutover.

What is refused when it is handed in is written into the tables by hand here, as a superuser could.
"""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from tests.transfer.factory import DAY, make_authority, public
from tests.transfer.test_approvals import later

from reelm import regions
from reelm.foundation.clock import now, utc_text
from reelm.foundation.envelope import key_id
from reelm.foundation.errors import Conflict
from reelm.regions import orders
from reelm.transfer import move


def by_hand(sale, **changed) -> None:
    """Put another decision of the host in the place of the good one."""
    envelope = sale.decision(sale.host, **changed).decode()
    sale.session.execute(
        text("UPDATE transfer_statement SET envelope = :envelope WHERE kind = 'approve'"),
        {"envelope": envelope},
    )


def missing(sale, _):
    sale.session.execute(text("DELETE FROM transfer_statement WHERE kind = 'approve'"))


def expired(_, monkeypatch):
    later(monkeypatch, 31 * DAY)


def revoked(sale, _):
    sale.submit(sale.decision(sale.host, "revoke"))


def refused(sale, _):
    sale.submit(sale.decision(sale.host, "refuse"))


def replayed_from_another_scope(sale, _):
    by_hand(sale, scope_digest="5c" * 32)


def of_another_buyer(sale, _):
    by_hand(sale, buyer_key=public(Ed25519PrivateKey.generate()))


def of_another_region(sale, _):
    by_hand(sale, region="0" * 32)


def signed_by_one_key_of_two(sale, _):
    by_hand(sale, keys=sale.host.keys[:1])


def signed_by_a_key_of_another_authority(sale, _):
    by_hand(sale, keys=[sale.host.keys[0], sale.exporter.keys[0]])


def a_key_was_revoked(sale, _):
    for key in sale.host.keys[:2]:
        orders.revoke_key(sale.session, sale.host.id, key_id(public(key)))


def a_condition_is_violated(sale, _):
    sale.submit(sale.decision(sale.host, conditions={"data_country": "TF"}))


def its_time_is_over(sale, monkeypatch):
    before = utc_text(now() + timedelta(hours=1))
    sale.submit(sale.decision(sale.host, conditions={"cutover_before": before}))
    later(monkeypatch, timedelta(hours=2))


def an_authority_has_ended(sale, _):
    sale.session.execute(
        text("UPDATE authority SET ended_at = now() WHERE id = :id"), {"id": sale.host.id}
    )


def an_authority_was_added(sale, _):
    make_authority(sale.session, "Second host", "approve_transfer")


def a_court_stays_it(sale, _):
    sale.order(sale.court, "stay_transfer")


ATTACKS = {
    missing: "has not approved this scope",
    expired: "has expired",
    revoked: "revoked its approval",
    refused: "refused",
    replayed_from_another_scope: "has not approved this scope",
    of_another_buyer: "has not approved this scope",
    of_another_region: "has not approved this scope",
    signed_by_one_key_of_two: "1 signatures by keys that count now, and 2 are needed",
    signed_by_a_key_of_another_authority: "1 signatures by keys that count now",
    a_key_was_revoked: "a key that signed it was revoked",
    a_condition_is_violated: "does not hold",
    its_time_is_over: "does not hold",
    an_authority_has_ended: "no longer an authority",
    an_authority_was_added: "was registered after the proposal",
    a_court_stays_it: "stay",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_what_comes_between_approval_and_cutover_holds_it_up(stages, monkeypatch, attack):
    with stages.at("verified") as moving:
        moving.act(lambda sale: attack(sale, monkeypatch))
        with pytest.raises(Conflict, match=ATTACKS[attack]):
            move.cut_over(moving.seller, moving.exchange)
        assert not moving.exchange.cutover.exists()
        with moving.seller.transaction() as session:
            assert regions.current_tenure(session).epoch == 1
