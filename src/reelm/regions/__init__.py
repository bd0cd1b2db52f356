"""The residency boundary: jurisdictions and their policy packs, operators and terms."""

from reelm.regions.policy import DEFAULT_MINIMUM_AGE_YEARS, Fact, PolicyPack, load_pack, packs
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
    "load_pack",
    "packs",
    "region_facts",
    "region_id",
]
