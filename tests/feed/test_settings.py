"""What a viewer sets for the feed, and who may not be profiled."""

from datetime import date
from unittest.mock import patch

import msgspec
import pytest
from sqlalchemy import delete
from tests.accounts.factory import signed_up

from reelm import regions
from reelm.accounts.models import AccountPrivate
from reelm.feed import settings
from reelm.feed.settings import FeedSettings, SettingsChange, change_settings, feed_settings
from reelm.foundation.clock import now
from reelm.foundation.errors import Forbidden, Invalid
from reelm.foundation.ids import new_id

INDIA, NEUTRAL = regions.load_pack("IN"), regions.load_pack("neutral")


def _stated(**facts):
    """The neutral pack with facts of a law that a test makes up."""
    fact = {"source": "a law of this test", "read_on": "2026-11"}
    return msgspec.structs.replace(
        NEUTRAL, **{name: regions.Fact(value=value, **fact) for name, value in facts.items()}
    )


def _born(years_ago):
    return date(now().year - years_ago, 1, 1)


@pytest.fixture
def of(session, parts):
    """What holds for an account of somebody, or for an anonymous viewer, under a policy pack."""

    def read(pack=NEUTRAL, account_id=None, viewer_id=None, **change):
        who = {"viewer_id": account_id or viewer_id or new_id(), "account_id": account_id}
        with patch.object(settings, "_pack", lambda _: pack):
            if change:
                change_settings(session, parts, **who, change=SettingsChange(**change))
            return feed_settings(session, parts, **who)

    return read


@pytest.fixture
def person(session, parts):
    def person(age):
        account_id = signed_up(session, parts, birth_date=_born(age or 30)).account_id
        if age is None:
            session.execute(delete(AccountPrivate).where(AccountPrivate.account_id == account_id))
        return account_id

    return person


def test_who_has_set_nothing_has_the_defaults(of, person):
    assert of() == of(account_id=person(30)) == FeedSettings()
    assert FeedSettings().may_record


def test_what_was_set_stays_and_the_rest_is_as_before(of, person):
    ada = person(30)
    of(account_id=ada, newness=0.9, topics=["#Cooking", "cooking", "Cats"], languages=["pt-br"])
    found = of(account_id=ada, variety=0.1)
    assert (found.newness, found.variety, found.following) == (0.9, 0.1, 0.5)
    assert found.topics == ("cooking", "cats")
    assert found.languages == ("pt-BR",)
    assert of(account_id=ada, history_paused=True).may_record is False
    assert of(account_id=ada, is_profiled=False).is_profiled is False
    assert of(account_id=ada, is_profiled=None).is_profiled is True


@pytest.mark.parametrize(("change", "word"), [
    ({"topics": ["two words"]}, "hashtag"),
    ({"topics": [""]}, "hashtag"),
    ({"topics": ["a#b"]}, "hashtag"),
    ({"topics": [f"t{n}" for n in range(21)]}, "At most 20"),
    ({"languages": ["klingon!"]}, "language"),
    ({"newness": 1.5}, "from 0 to 1"),
    ({"variety": float("nan")}, "from 0 to 1"),
])  # fmt: skip
def test_what_cannot_be_set_is_refused_in_one_sentence(of, person, change, word):
    with pytest.raises(Invalid, match=word):
        of(account_id=person(30), **change)


def test_under_the_stated_age_nobody_is_profiled_unless_it_is_asked_for(of, person):
    pack = _stated(profiling_minimum_age_years=16)
    young, old = person(15), person(17)
    assert of(pack, old).is_profiled
    found = of(pack, young)
    assert (found.is_profiled, found.may_be_profiled, found.may_record) == (False, True, False)
    assert "under 16" in found.reason
    asked = of(pack, young, is_profiled=True)
    assert (asked.is_profiled, asked.reason) == (True, None)


@pytest.mark.parametrize("default", ["off", "ask"])
def test_where_the_pack_says_so_nobody_is_profiled_until_they_choose_it(of, person, default):
    pack = _stated(profiling_default=default)
    somebody = person(30)
    found = of(pack, somebody)
    assert (found.is_profiled, found.may_be_profiled) == (False, True)
    assert "unless you choose so" in found.reason
    assert of(pack).is_profiled is False
    asked = of(pack, somebody, is_profiled=True)
    assert (asked.is_profiled, asked.reason) == (True, None)


def test_who_is_too_young_to_consent_cannot_choose_to_be_profiled(of, person):
    pack = _stated(consent_age_years=15)
    assert of(pack, person(16)).is_profiled
    found = of(pack, person(14))
    assert (found.is_profiled, found.may_be_profiled) == (False, False)


def test_where_children_may_not_be_tracked_none_of_them_can_switch_it_on(of, person):
    child, grown = person(17), person(19)
    assert of(INDIA, grown).is_profiled
    found = of(INDIA, child)
    assert (found.is_profiled, found.may_be_profiled) == (False, False)
    assert "under 18" in found.reason
    with pytest.raises(Forbidden, match="under 18"):
        of(INDIA, child, is_profiled=True)
    # A choice from the time before the law counts for nothing under it.
    of(NEUTRAL, child, is_profiled=True)
    assert of(INDIA, child).is_profiled is False
    assert of(INDIA, child, newness=0.7).newness == 0.7


def test_whose_age_nobody_knows_counts_as_a_child(of, person):
    found = of(INDIA, account_id=person(None))
    assert (found.is_profiled, found.may_be_profiled) == (False, False)
    assert "your age is not known" in found.reason
    assert of(INDIA).is_profiled, "of an anonymous viewer nothing outlasts the session"


def test_where_nothing_of_anonymous_viewers_may_be_kept_nothing_is(of, person):
    pack = _stated(anonymous_feed_allowed=False)
    viewer = new_id()
    found = of(pack, viewer_id=viewer)
    assert (found.is_profiled, found.may_be_profiled, found.may_record) == (False, False, False)
    with pytest.raises(Forbidden, match="not signed in"):
        of(pack, viewer_id=viewer, newness=0.9)
    assert of(pack, person(30)).is_profiled
