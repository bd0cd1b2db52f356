"""The terms of use that people accept, and the public facts of a region."""

import msgspec

from reelm.foundation.config import Settings, UploadSettings
from reelm.regions.pack_files import load_pack
from reelm.regions.policy import Fact

# A new text gets a new version here; its words are web/templates/terms.html, which names it.
TERMS_VERSION = "2026-11"
FactValue = int | bool | str | tuple[str, ...]


class UploadLimits(msgspec.Struct, frozen=True):
    """What may be uploaded, told before the first byte."""

    max_bytes: int
    max_duration_s: int
    max_side_px: int
    quota_bytes: int


class RegionFacts(msgspec.Struct, frozen=True):
    """What anyone may know of the region."""

    name: str
    jurisdiction: str
    operator: str
    minimum_age: int
    anonymous_feed: bool
    terms_version: str
    upload: UploadLimits
    countries: list[str]
    policy: dict[str, Fact[FactValue]]


def region_facts(settings: Settings) -> RegionFacts:
    """Return the region's public facts: who runs it, under which rules and limits."""
    pack = load_pack(settings.region.jurisdiction)
    return RegionFacts(
        name=settings.region.name,
        jurisdiction=settings.region.jurisdiction,
        operator=settings.region.operator,
        minimum_age=pack.minimum_age,
        anonymous_feed=pack.anonymous_feed,
        terms_version=TERMS_VERSION,
        upload=_limits(settings.upload),
        countries=sorted(pack.countries),
        policy=dict(pack.facts()),
    )


def _limits(upload: UploadSettings) -> UploadLimits:
    return UploadLimits(
        upload.max_bytes, upload.max_duration_s, upload.max_side_px, upload.quota_bytes
    )
