"""Policy packs: what the law of a jurisdiction asks, as data with its source beside each value.

A pack is `packs/{jurisdiction}.toml`. It names every key below, either with `value`, `source` and
`read_on`, or with `unset` and the reason: where no source was read there is no value. Facts are
to be re-checked by counsel before anyone relies on them.
"""

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from reelm.foundation.errors import Invalid

# The platform's own rule where a pack states none: the age from which the large video platforms
# take people, which is a custom and not a source of law.
DEFAULT_MINIMUM_AGE_YEARS = 13
# Where a pack forbids the tracking of children and does not say who is one: the Convention on the
# Rights of the Child, article 1, by which a child is younger than 18 unless the law of the place
# makes people of age earlier. A lower age is for the pack to state, with its source.
CHILD_UNDER_YEARS = 18

T = TypeVar("T")
Years = Annotated[int, Meta(ge=1, le=150)]
Days = Annotated[int, Meta(ge=1, le=36_500)]
Hours = Annotated[int, Meta(ge=1, le=8760)]


class Fact(msgspec.Struct, Generic[T], frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One value with where and when it was read, or the reason why there is none."""

    value: T | None = None
    source: str = ""
    read_on: Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}(-\d{2})?)?$")] = ""
    note: str = ""
    unset: str = ""

    def __post_init__(self) -> None:
        """Refuse a value without a source, and an empty fact."""
        if self.unset and self.value is None and not self.source:
            return
        if self.value is None or self.unset or not self.source or not self.read_on:
            raise ValueError("give value, source and read_on, or only unset with the reason")


class PolicyPack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every key a pack must answer."""

    jurisdiction: str
    name: str

    # Accounts
    minimum_age_years: Fact[Years]
    profiling_minimum_age_years: Fact[Years]
    tracking_of_children_allowed: Fact[bool]
    anonymous_feed_allowed: Fact[bool]
    # Retention
    impression_retention_days: Fact[Days]
    log_retention_days: Fact[Days]
    # From the destruction of a key to the end of the last WAL and backup that holds it.
    erasure_complete_days: Fact[Days]
    # Legal orders
    order_removal_within_h: Fact[Hours]
    intimate_imagery_removal_within_h: Fact[Hours]
    preservation_days: Fact[Days]
    unconfirmed_emergency_order_lapses: Fact[bool]
    orders_may_be_confidential: Fact[bool]
    # Grievances and reports to the public
    grievance_acknowledged_within_h: Fact[Hours]
    grievance_resolved_within_days: Fact[Days]
    transparency_report_every_months: Fact[Annotated[int, Meta(ge=1, le=12)]]
    synthetic_media_labelled: Fact[bool]
    # Notices
    breach_notice_at_once: Fact[bool]
    breach_detail_within_h: Fact[Hours]
    transfer_notice_days: Fact[Days]

    @property
    def minimum_age(self) -> int:
        """Age in years from which a person may have an account."""
        return self.minimum_age_years.value or DEFAULT_MINIMUM_AGE_YEARS

    @property
    def profiling_age(self) -> int | None:
        """Age in years below which people are not profiled; None where nothing is asked.

        Who cannot be told to be that old counts as younger.
        """
        stated = self.profiling_minimum_age_years.value
        if stated is None and self.tracking_of_children_allowed.value is False:
            return CHILD_UNDER_YEARS
        return stated

    @property
    def young_may_choose_profiling(self) -> bool:
        """Whether people below the profiling age may ask for a feed made from what they watch."""
        return self.tracking_of_children_allowed.value is not False

    @property
    def anonymous_feed(self) -> bool:
        """Whether people who are not signed in may have a feed that learns from them."""
        return self.anonymous_feed_allowed.value is not False


def packs() -> list[str]:
    """Return the jurisdictions that have a policy pack."""
    folder = resources.files("reelm.regions") / "packs"
    names = (entry.name for entry in folder.iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


@cache
def load_pack(jurisdiction: str) -> PolicyPack:
    """Read and check the policy pack of a jurisdiction.

    Raises:
        Invalid: there is no such pack, with those there are; or the file is wrong, with the key.
    """
    if jurisdiction not in packs():
        there = ", ".join(packs())
        raise Invalid(f"There is no policy pack for {jurisdiction!r}; the packs are: {there}.")
    file = resources.files("reelm.regions") / "packs" / f"{jurisdiction}.toml"
    pack = parse_pack(file.read_text("utf-8"), name=f"{jurisdiction}.toml")
    if pack.jurisdiction != jurisdiction:
        raise Invalid(f"{jurisdiction}.toml says that it is the pack of {pack.jurisdiction!r}.")
    return pack


def parse_pack(text: str, *, name: str) -> PolicyPack:
    """Check the text of a pack; `name` is said in the error.

    Raises:
        Invalid: with the key that is wrong, unknown or missing.
    """
    try:
        return msgspec.convert(tomllib.loads(text), PolicyPack)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Invalid(f"The policy pack {name} is wrong: {error}.") from None
