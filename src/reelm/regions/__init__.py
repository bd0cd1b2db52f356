"""The residency boundary: jurisdictions and their policy packs, operators and terms."""

from reelm.regions.pack_files import jurisdictions, load_pack, packs, parse_pack, read_pack
from reelm.regions.policy import DEFAULT_MINIMUM_AGE_YEARS, Fact, PolicyPack, meanings
from reelm.regions.tenure import (
    CurrentTenure,
    begin_first_tenure,
    current_tenure,
    ensure_tenure,
    region_id,
)
from reelm.regions.terms import TERMS_VERSION, RegionFacts, region_facts

__all__ = [
    "DEFAULT_MINIMUM_AGE_YEARS",
    "TERMS_VERSION",
    "CurrentTenure",
    "Fact",
    "PolicyPack",
    "RegionFacts",
    "begin_first_tenure",
    "current_tenure",
    "ensure_tenure",
    "jurisdictions",
    "load_pack",
    "meanings",
    "packs",
    "parse_pack",
    "read_pack",
    "region_facts",
    "region_id",
]
