"""Who is named for what the law of the region asks for."""

import msgspec
import pytest

from reelm.commands.doctor.contacts import check_contacts
from reelm.foundation.config import load
from reelm.foundation.errors import BadSetting
from reelm.regions.contacts import contacts

LINES = "Grievance Officer: Asha Rao, 1 Demo Road, Delhi\n"


def settings_of(home, jurisdiction, **environ):
    settings = load(home.path, {f"REELM_CONTACTS_{name}": text for name, text in environ.items()})
    region = msgspec.structs.replace(settings.region, jurisdiction=jurisdiction)
    return msgspec.structs.replace(settings, region=region)


def test_an_officer_whom_the_pack_asks_for_and_nobody_named_is_told(home):
    settings = settings_of(home, "IN")
    assert contacts(settings).not_named == ["Grievance Officer"]
    check = check_contacts(settings)
    assert (check.state, "Grievance Officer" in check.sentence) == ("warn", True)


def test_a_named_officer_is_told_with_how_to_reach_them(home):
    settings = settings_of(home, "IN", OFFICERS=LINES)
    found = contacts(settings)
    assert [(one.title, one.reach) for one in found.officers] == [
        ("Grievance Officer", "Asha Rao, 1 Demo Road, Delhi")
    ]
    assert found.not_named == []
    assert check_contacts(settings).state == "ok"


def test_a_region_of_no_jurisdiction_needs_none(home):
    assert check_contacts(settings_of(home, "neutral")).state == "ok"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("OFFICERS", "Asha Rao", "Grievance Officer: name, address"),
        ("OFFICERS", "Grievance Officer:", "Grievance Officer: name, address"),
        ("SECURITY", "security@example.org", "mailto:"),
        ("SECURITY", "https://example.org/a\nPolicy: x", "mailto:"),
        ("LANGUAGES", "en\nx", "RFC 5646"),
    ],
)
def test_a_wrong_contact_is_refused_with_what_would_be_right(home, name, text, words):
    with pytest.raises(BadSetting, match=words):
        load(home.path, {f"REELM_CONTACTS_{name}": text})
