"""The region's public facts."""

from reelm.foundation.parts import Parts
from reelm.regions import RegionFacts, region_facts


def read_region(parts: Parts) -> RegionFacts:
    """Read who runs this region, under which rules and with which limits."""
    return region_facts(parts.settings)
