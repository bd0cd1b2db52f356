from pathlib import Path

import pytest
from tests.commands.factory import reelm

from reelm import regions
from reelm.foundation.errors import Conflict, Invalid
from reelm.regions import parse_pack

FACTS = list(regions.meanings())
PACKS = Path(regions.__file__).parent / "packs"


def test_every_pack_loads_and_says_where_each_value_is_from():
    assert regions.packs() == ["EU", "IN", "neutral"]
    assert len(regions.jurisdictions()) == 29
    for jurisdiction in regions.jurisdictions():
        facts = dict(regions.load_pack(jurisdiction).facts())
        assert list(facts) == FACTS
        for name, fact in facts.items():
            assert fact.unset or (fact.source and fact.read_on), name


def test_every_key_says_what_it_means():
    assert all(meaning.endswith(".") for meaning in regions.meanings().values())


def test_the_pack_of_india_holds_what_was_read_and_nothing_else():
    pack = regions.load_pack("IN")
    assert pack.countries == {"IN"}
    assert pack.order_removal_within_h.value == 3
    assert pack.intimate_imagery_removal_within_h.value == 2
    assert pack.interim_order_confirmed_within_h.value == 48
    assert pack.grievance_acknowledged_within_h.value == 24
    assert pack.grievance_resolved_within_days.value == 7
    assert pack.preservation_days.value == 180
    assert pack.breach_detail_within_h.value == 72
    assert pack.tracking_of_children_allowed.value is False
    assert pack.officers_required.value == ("Grievance Officer",)
    assert "20 Feb 2026" in pack.order_removal_within_h.source
    assert pack.minimum_age_years.value is None
    assert pack.minimum_age == regions.DEFAULT_MINIMUM_AGE_YEARS
    assert (pack.profiling_age, pack.young_may_choose_profiling) == (18, False)


def test_the_neutral_pack_asks_nothing():
    pack = regions.load_pack("neutral")
    assert all(fact.value is None for _, fact in pack.facts())
    assert pack.anonymous_feed
    assert pack.profiled_by_default
    assert pack.profiling_age is None
    assert pack.young_may_choose_profiling
    assert pack.countries == frozenset()


def test_a_member_state_applies_the_pack_of_the_union_with_its_own_facts():
    germany, france = regions.load_pack("DE"), regions.load_pack("FR")
    assert (germany.jurisdiction, germany.name) == ("DE", "Germany")
    assert germany.countries == {"DE"}
    assert (germany.consent_age_years.value, france.consent_age_years.value) == (16, 15)
    differing = {key for key, fact in germany.facts() if fact != dict(france.facts())[key]}
    assert differing == {"consent_age_years"}
    assert germany.appeal_open_days.value == 184
    assert not germany.members
    assert (france.profiling_age, france.young_may_choose_profiling) == (15, False)


def test_every_overlay_is_of_a_member():
    members = {code for code, pack in regions.jurisdictions().items() if pack == "EU"}
    overlays = {path.stem for path in (PACKS / "EU").glob("*.toml")}
    assert len(members) == 27
    assert overlays <= members
    for path in (PACKS / "EU").glob("*.toml"):
        assert parse_pack(path.read_text("utf-8"), name=path.name).jurisdiction == path.stem


def test_where_children_may_not_be_tracked_and_no_age_is_stated_a_child_is_under_18():
    pack = parse_pack(_pack(tracking_of_children_allowed=_fact("false")), name="T.toml")
    assert (pack.profiling_age, pack.young_may_choose_profiling) == (18, False)


@pytest.mark.parametrize(("value", "by_default"), [("on", True), ("off", False), ("ask", False)])
def test_a_pack_may_say_what_holds_until_somebody_chooses(value, by_default):
    pack = parse_pack(_pack(profiling_default=_fact(f'"{value}"')), name="T.toml")
    assert pack.profiled_by_default is by_default


@pytest.mark.parametrize("jurisdiction", ["XX", "", "in", "../IN", "IN.toml", "EU/FR"])
def test_an_unknown_jurisdiction_is_refused_with_those_there_are(jurisdiction):
    with pytest.raises(Invalid, match=r"HU, IE, IN, IT.*neutral"):
        regions.load_pack(jurisdiction)


def test_a_region_of_a_whole_union_is_refused_with_its_members(tmp_path):
    with pytest.raises(Invalid, match="in one country: of EU, choose one of AT, BE"):
        regions.load_pack("EU")
    ran = reelm("init", tmp_path / "eu", "--jurisdiction", "EU", "--operator", "Operator")
    assert ran.status == 2
    assert not (tmp_path / "eu").exists()


def test_a_region_of_a_member_state_can_be_made(tmp_path):
    ran = reelm("init", tmp_path / "de", "--jurisdiction", "DE", "--operator", "Operator")
    assert ran.status == 0, ran.err
    shown = reelm("policy", "show", "--region", tmp_path / "de", "--json").json()
    assert (shown["jurisdiction"], shown["countries"]) == ("DE", ["DE"])
    named = reelm("policy", "show", "IN", "--region", tmp_path / "de", "--json").json()
    assert named["jurisdiction"] == "IN", "what is named goes before REELM_REGION"


def _fact(value):
    return f'value = {value}\nsource = "law"\nread_on = "2026-11"'


def _pack(**changed):
    lines = ['jurisdiction = "T"', 'name = "Test"']
    facts = dict.fromkeys(FACTS, 'unset = "not read"') | changed
    lines += [f"[{name}]\n{text}" for name, text in facts.items() if text]
    return "\n".join(lines)


WRONG = [
    ({"surprise_days": "value = 1"}, "surprise_days"),
    ({"preservation_days": ""}, "preservation_days"),
    ({"preservation_days": "value = 180"}, "preservation_days"),
    ({"preservation_days": 'value = 180\nsource = "law"'}, "read_on"),
    ({"preservation_days": _fact('"long"')}, "int"),
    ({"preservation_days": _fact("0")}, ">= 1"),
    ({"preservation_days": 'value = 9\nunset = "not read"'}, "unset"),
    ({"preservation_days": 'valve = 180\nsource = "law"\nread_on = "2026-11"'}, "valve"),
    ({"profiling_default": _fact('"maybe"')}, "profiling_default"),
    ({"officers_required": _fact("[]")}, "officers_required"),
]


@pytest.mark.parametrize(("changed", "said"), WRONG)
def test_a_wrong_pack_is_refused_with_the_key(changed, said, tmp_path):
    with pytest.raises(Invalid, match=said):
        parse_pack(_pack(**changed), name="T.toml")
    (tmp_path / "T.toml").write_text(_pack(**changed), "utf-8")
    ran = reelm("policy", "check", tmp_path / "T.toml")
    assert ran.status == 2
    assert said in ran.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('member = "XX"', "no pack has a member 'XX'"),
        ('member = "FR"\nname = "Gaul"', "facts only, and not name"),
        ('member = "FR"\n[surprise_days]\nvalue = 1', "surprise_days"),
        ('member = "FR"\n[consent_age_years]\nvalue = 15', "consent_age_years"),
    ],
)
def test_a_wrong_overlay_is_refused_with_the_key(text, said):
    with pytest.raises(Invalid, match=said):
        parse_pack(text, name="FR.toml")


def test_a_pack_that_is_not_toml_is_refused():
    with pytest.raises(Invalid, match=r"T\.toml"):
        parse_pack("what = is = this", name="T.toml")


def test_the_command_shows_each_value_with_source_date_and_reason():
    shown = reelm("policy", "show", "IN")
    assert shown.status == 0
    for words in ("India", "3 h", "rule 9(3)", "2026-11-23", "unset", "was not read"):
        assert words in shown.out
    assert all(key in shown.out for key in FACTS)
    assert "Rows of job_report are kept for 365 days." in shown.out
    assert "Rows of signal are kept for 400 days." in reelm("policy", "show", "neutral").out
    listed = reelm("policy", "show")
    assert "Germany" in listed.out
    assert {row["jurisdiction"] for row in reelm("policy", "show", "--json").json()} == set(
        regions.jurisdictions()
    )
    assert reelm("policy", "show", "EU", "--json").json()["members"]["FR"] == "France"
    assert reelm("policy", "show", "XX").status == 2


def test_the_command_checks_a_right_file():
    ran = reelm("policy", "check", PACKS / "IN.toml")
    assert ran.status == 0
    assert f"is a pack of India: {_values('IN')} of {len(FACTS)} keys have a value" in ran.out
    assert "France" in reelm("policy", "check", PACKS / "EU/FR.toml").out


def test_the_page_of_policy_packs_has_every_key_with_its_meaning():
    page = (Path(__file__).parents[2] / "docs/policy-packs.md").read_text("utf-8")
    rows = [f"| `{key}` | {meaning} |" for key, meaning in regions.meanings().items()]
    assert [row for row in rows if row not in page.splitlines()] == []


def _values(jurisdiction):
    return sum(fact.value is not None for _, fact in regions.load_pack(jurisdiction).facts())


def test_a_region_has_one_tenure_from_its_first_day(session, parts):
    tenure = regions.current_tenure(session)
    assert (tenure.epoch, tenure.operator) == (1, "Test Operator")
    assert len(bytes.fromhex(tenure.public_key)) == 32
    with pytest.raises(Conflict):
        regions.begin_first_tenure(session, operator="Another", public_key="00" * 32)
    assert regions.ensure_tenure(session, "Another", tenure.public_key) == 1
    with pytest.raises(Conflict, match="not the key of this home"):
        regions.ensure_tenure(session, "Another", "00" * 32)


def test_the_facts_of_a_region_say_limits_and_sources(parts):
    facts = regions.region_facts(parts.settings)
    assert facts.minimum_age == 13
    assert facts.terms_version == regions.TERMS_VERSION
    assert facts.upload.max_bytes == parts.settings.upload.max_bytes
    assert set(facts.policy) == set(FACTS)
    assert facts.countries == []
