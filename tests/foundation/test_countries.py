"""What is a country."""

import pytest

from reelm import regions
from reelm.foundation.countries import countries, require_countries
from reelm.foundation.errors import Invalid


def test_all_of_iso_3166_1_and_kosovo_are_countries():
    assert len(countries()) == 250
    assert {"IN", "GB", "GR", "AQ", "XK"} < countries()
    require_countries(["IN", "GB"])


@pytest.mark.parametrize("code", ["UK", "EU", "ZZ", "QQ", "XX", "in", "IND", ""])
def test_what_is_none_is_refused(code):
    with pytest.raises(Invalid, match=f"countries: {code} is no code"):
        require_countries(["IN", code])


def test_every_country_of_a_policy_pack_is_one():
    for code, pack in regions.jurisdictions().items():
        if pack != "neutral":
            require_countries(regions.load_pack(code).countries)
