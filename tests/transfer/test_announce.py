"""Everybody is told of a sale before anything is frozen, for as long as law and operator ask."""

from datetime import timedelta

import msgspec
import pytest
from tests.transfer.factory import DAY, bought

from reelm import audit, regions, transfer
from reelm.foundation.clock import now, utc_text
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.foundation.strict_json import canonical
from reelm.regions.models import Tenure
from reelm.regions.policy import Fact
from reelm.transfer.news import TOLD_FOR
from reelm.transfer.steps import steps


def with_notice(sale, days):
    """Let the setting ask for so many days."""
    settings = sale.parts.settings
    changed = msgspec.structs.replace(settings.transfer, notice_days=days)
    object.__setattr__(sale.parts, "settings", msgspec.structs.replace(settings, transfer=changed))


def by_law(monkeypatch, days):
    """Let the policy pack ask for so many days."""
    pack = regions.load_pack("neutral")
    fact = Fact(value=days, source="Demo Act", read_on="2026-11")
    changed = msgspec.structs.replace(pack, transfer_notice_days=fact)
    monkeypatch.setattr("reelm.regions.load_pack", lambda _: changed)


def announce(sale, **options):
    return transfer.announce(sale.session, sale.parts, **options)


def news(sale) -> transfer.News:
    found = transfer.news(sale.session)
    assert found is not None
    return found


def freeze(sale):
    transfer.refuse_before_notice_ends(sale.session, transfer.open_transfer(sale.session))


def test_a_sale_is_announced_once_both_have_signed_it(sale):
    with pytest.raises(Missing):
        announce(sale)
    sale.propose()
    with pytest.raises(Conflict, match="the seller and the buyer have not"):
        announce(sale)
    sale.submit(sale.signature(sale.seller_key))
    with pytest.raises(Conflict, match="the buyer has not"):
        announce(sale)
    assert transfer.news(sale.session) is None
    sale.submit(sale.signature(sale.buyer_key))
    told = announce(sale)
    assert told.is_new
    assert told.announcement.freeze_from - now() > timedelta(days=29, hours=23)
    assert (told.announcement.notice_days, told.announcement.notice_source) == (30, "setting")
    (step,) = steps(sale.session, sale.proposal.transfer_id)
    assert (step.kind, step.document.encode()) == ("announced", canonical(told.announcement))
    logged = audit.newest_entry(sale.session, "transfer.announced")
    assert logged is not None
    assert logged.body["freeze_from"] == utc_text(told.announcement.freeze_from)
    with pytest.raises(Conflict, match="nothing is frozen before 20"):
        freeze(sale)


def test_nothing_is_frozen_that_nobody_was_told_of(sale):
    sale.approved()
    with pytest.raises(Conflict, match="have not been told"):
        freeze(sale)


def test_without_a_notice_asked_for_it_may_be_frozen_at_once(sale):
    with_notice(sale, 0)
    sale.approved()
    told = announce(sale, notice_days=0)
    assert (told.announcement.notice_days, told.announcement.notice_source) == (0, "setting")
    freeze(sale)


def test_the_command_asks_for_more_and_never_for_less(sale, monkeypatch):
    sale.approved()
    for days in (0, 29):
        with pytest.raises(Invalid, match=r"setting transfer\.notice_days asks for 30 days"):
            announce(sale, notice_days=days)
    by_law(monkeypatch, 60)
    with pytest.raises(Invalid, match="policy pack neutral asks for 60 days"):
        announce(sale, notice_days=59)
    with pytest.raises(Invalid, match="60 days of notice, as the policy pack asks: nothing"):
        announce(sale, freeze_from=now() + 59 * DAY)
    assert announce(sale).announcement.notice_source == "policy_pack"
    longer = announce(sale, notice_days=61).announcement
    assert (longer.notice_days, longer.notice_source) == (61, "command")


def test_what_the_operator_promised_goes_before_a_shorter_law(sale, monkeypatch):
    by_law(monkeypatch, 10)
    sale.approved()
    found = announce(sale).announcement
    assert (found.notice_days, found.notice_source) == (30, "setting")


def test_the_same_again_changes_nothing_and_a_later_time_replaces(sale):
    with_notice(sale, 2)
    sale.approved()
    first = announce(sale)
    again = announce(sale)
    assert (again.announcement, again.is_new) == (first.announcement, False)
    assert not announce(sale, freeze_from=first.announcement.freeze_from).is_new
    later = announce(sale, freeze_from=first.announcement.freeze_from + DAY)
    assert later.is_new
    assert later.announcement.freeze_from == first.announcement.freeze_from + DAY
    for at in (first.announcement.freeze_from, now() + 2.5 * DAY):
        with pytest.raises(Conflict, match="put off, and not brought forward"):
            announce(sale, freeze_from=at)
    assert not announce(sale).is_new
    assert len(steps(sale.session, sale.proposal.transfer_id)) == 2


def test_a_notice_that_has_become_longer_is_kept_to(sale):
    with_notice(sale, 0)
    sale.approved()
    announce(sale)
    with_notice(sale, 5)
    assert announce(sale).announcement.freeze_from - now() > timedelta(days=4, hours=23)


def test_while_it_is_stayed_nothing_is_announced_and_an_aborted_sale_is_not_told(sale):
    sale.approved()
    stay = sale.order(sale.court, "stay_transfer")
    with pytest.raises(Conflict, match="stayed"):
        announce(sale)
    sale.order(sale.court, "lift", targets={"orders": [stay]})
    announce(sale)
    assert transfer.news(sale.session) is not None
    transfer.abort(sale.session, "Another buyer.")
    assert transfer.news(sale.session) is None


def test_everybody_is_told_who_buys_from_when_and_what_they_can_do(sale):
    sale.approved()
    told = announce(sale)
    found = news(sale)
    assert (found.what, found.buyer, found.country) == ("announced", "Demo Buyer", "AQ")
    assert (found.at, found.transfer_id) == (
        told.announcement.freeze_from,
        sale.proposal.transfer_id,
    )
    words = transfer.words(found)
    for said in ("Demo Buyer", "Test Operator", "AQ", f"{found.at:%Y-%m-%d}", "object", "erase"):
        assert said in words


def test_after_the_cutover_everybody_is_told_for_ninety_days_who_holds_their_data(sale):
    assert TOLD_FOR >= 90 * DAY
    sale.approved()
    announce(sale)
    bought(sale.session, sale, days_ago=1)
    found = news(sale)
    assert (found.what, found.seller, found.buyer) == ("cutover", "Test Operator", "Demo Buyer")
    assert "holds your data, which lies in AQ" in transfer.words(found)
    sale.session.get_one(Tenure, 2).began_at = now() - 91 * DAY
    sale.session.flush()
    assert transfer.news(sale.session) is None
