import pytest

from reelm import regions
from reelm.foundation.errors import Conflict, Invalid
from reelm.regions.policy import parse_pack

FACTS = [
    name for name in regions.PolicyPack.__struct_fields__ if name not in {"jurisdiction", "name"}
]


def test_every_pack_loads_and_says_where_each_value_is_from():
    assert regions.packs() == ["IN", "neutral"]
    for jurisdiction in regions.packs():
        pack = regions.load_pack(jurisdiction)
        for name in FACTS:
            fact = getattr(pack, name)
            assert fact.unset or (fact.source and fact.read_on), name


def test_the_pack_of_india_holds_what_was_read_and_nothing_else():
    pack = regions.load_pack("IN")
    assert pack.order_removal_within_h.value == 3
    assert pack.intimate_imagery_removal_within_h.value == 2
    assert pack.grievance_acknowledged_within_h.value == 24
    assert pack.grievance_resolved_within_days.value == 7
    assert pack.preservation_days.value == 180
    assert pack.breach_detail_within_h.value == 72
    assert pack.tracking_of_children_allowed.value is False
    assert "20 Feb 2026" in pack.order_removal_within_h.source
    assert pack.minimum_age_years.value is None
    assert pack.minimum_age == regions.DEFAULT_MINIMUM_AGE_YEARS


def test_the_neutral_pack_asks_nothing():
    pack = regions.load_pack("neutral")
    assert all(getattr(pack, name).value is None for name in FACTS)
    assert pack.anonymous_feed
    assert pack.profiling_age is None
    assert pack.young_may_choose_profiling


def test_where_children_may_not_be_tracked_and_no_age_is_stated_a_child_is_under_18():
    pack = regions.load_pack("IN")
    assert pack.profiling_minimum_age_years.value is None
    assert (pack.profiling_age, pack.young_may_choose_profiling) == (18, False)


@pytest.mark.parametrize("jurisdiction", ["XX", "", "in", "../IN", "IN.toml"])
def test_an_unknown_jurisdiction_is_refused_with_those_there_are(jurisdiction):
    with pytest.raises(Invalid, match="IN, neutral"):
        regions.load_pack(jurisdiction)


def _pack(**changed):
    lines = ['jurisdiction = "T"', 'name = "Test"']
    facts = dict.fromkeys(FACTS, 'unset = "not read"') | changed
    lines += [f"[{name}]\n{text}" for name, text in facts.items() if text]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"surprise_days": "value = 1"}, "surprise_days"),
        ({"preservation_days": ""}, "preservation_days"),
        ({"preservation_days": "value = 180"}, "preservation_days"),
        ({"preservation_days": 'value = 180\nsource = "law"'}, "read_on"),
        ({"preservation_days": 'value = "long"\nsource = "law"\nread_on = "2026-11"'}, "int"),
        ({"preservation_days": 'value = 0\nsource = "law"\nread_on = "2026-11"'}, ">= 1"),
        ({"preservation_days": 'value = 9\nunset = "not read"'}, "unset"),
        ({"preservation_days": 'valve = 180\nsource = "law"\nread_on = "2026-11"'}, "valve"),
    ],
)
def test_a_wrong_pack_is_refused_with_the_key(changed, said):
    with pytest.raises(Invalid, match=said):
        parse_pack(_pack(**changed), name="T.toml")


def test_a_pack_that_is_not_toml_is_refused():
    with pytest.raises(Invalid, match=r"T\.toml"):
        parse_pack("what = is = this", name="T.toml")


def test_a_region_has_one_tenure_from_its_first_day(session, parts):
    tenure = regions.current_tenure(session)
    assert (tenure.epoch, tenure.operator) == (1, "Test Operator")
    assert len(bytes.fromhex(tenure.public_key)) == 32
    with pytest.raises(Conflict):
        regions.begin_first_tenure(session, operator="Another", public_key="00" * 32)
    assert regions.ensure_tenure(session, "Another", "00" * 32) == 1


def test_the_facts_of_a_region_say_limits_and_sources(parts):
    facts = regions.region_facts(parts.settings)
    assert facts.minimum_age == 13
    assert facts.terms_version == regions.TERMS_VERSION
    assert facts.upload.max_bytes == parts.settings.upload.max_bytes
    assert set(facts.policy) == set(FACTS)
