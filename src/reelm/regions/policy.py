"""Policy packs: what the law of a jurisdiction asks, as data with its source beside each value.

A pack names every key below, either with `value`, `source` and `read_on`, or with `unset` and the
reason: where no source was read there is no value. `pack_files.py` reads them. Facts are to be
re-checked by counsel before anyone relies on them.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Generic, Literal, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

from reelm.foundation.countries import Country

# The platform's own rule where a pack states none: the age from which the large video platforms
# take people, which is a custom and not a source of law.
DEFAULT_MINIMUM_AGE_YEARS = 13
# Where a pack forbids the tracking of children and does not say who is one: the Convention on the
# Rights of the Child, article 1, by which a child is younger than 18 unless the law of the place
# makes people of age earlier. A lower age is for the pack to state, with its source.
CHILD_UNDER_YEARS = 18

T = TypeVar("T")
Years = Annotated[int, Meta(ge=1, le=150)]
Months = Annotated[int, Meta(ge=1, le=12)]
Days = Annotated[int, Meta(ge=1, le=36_500)]
Hours = Annotated[int, Meta(ge=1, le=8760)]
People = Annotated[int, Meta(ge=1)]
Words = Annotated[str, Meta(min_length=1, max_length=300)]
Several = Annotated[tuple[Words, ...], Meta(min_length=1, max_length=30)]


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


def _means(words: str) -> Meta:
    return Meta(description=words)


class PolicyPack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every key a pack must answer."""

    jurisdiction: str
    name: str
    # ISO 3166-1 codes of the countries inside a region of this jurisdiction.
    countries: frozenset[Country] = frozenset()
    # Of a pack that several countries apply, each with its own overlay: code and name.
    members: dict[Country, str] = {}

    # Accounts
    minimum_age_years: Annotated[
        Fact[Years], _means("Age in years from which a person may have an account.")
    ]
    consent_age_years: Annotated[
        Fact[Years], _means("Age from which a person consents to online services without a parent.")
    ]
    # The feed
    profiling_minimum_age_years: Annotated[
        Fact[Years], _means("Age below which a person may not be profiled.")
    ]
    tracking_of_children_allowed: Annotated[
        Fact[bool], _means("Whether what children watch may be followed.")
    ]
    anonymous_feed_allowed: Annotated[
        Fact[bool], _means("Whether a feed may learn from people who are not signed in.")
    ]
    profiling_default: Annotated[
        Fact[Literal["on", "off", "ask"]],
        _means("What holds for the feed until a person chooses: profiled, not, or asked first."),
    ]
    feed_without_profiling_offered: Annotated[
        Fact[bool], _means("Whether people must be offered a feed without profiling.")
    ]
    ranking_explained: Annotated[
        Fact[bool], _means("Whether the main parameters of the ranking must be told.")
    ]
    # Retention
    impression_retention_days: Annotated[
        Fact[Days], _means("Days after which what people were shown and watched is deleted.")
    ]
    log_retention_days: Annotated[
        Fact[Days], _means("Days for which logs are kept at least; nothing logged goes earlier.")
    ]
    erasure_complete_days: Annotated[
        Fact[Days],
        _means("Days from the destruction of a key to the end of the last backup that holds it."),
    ]
    request_answered_within_days: Annotated[
        Fact[Days], _means("Days to tell a person what was done about a request on their data.")
    ]
    # Legal orders
    order_removal_within_h: Annotated[Fact[Hours], _means("Hours to carry out an order to remove.")]
    intimate_imagery_removal_within_h: Annotated[
        Fact[Hours], _means("Hours to remove intimate imagery.")
    ]
    terrorist_content_removal_within_h: Annotated[
        Fact[Hours], _means("Hours to carry out an order to remove terrorist content.")
    ]
    order_blocking_within_h: Annotated[Fact[Hours], _means("Hours to carry out an order to block.")]
    order_disclosure_within_h: Annotated[
        Fact[Hours], _means("Hours to carry out an order to disclose.")
    ]
    preservation_days: Annotated[
        Fact[Days], _means("Days for which what was removed or is to be preserved is kept.")
    ]
    unconfirmed_emergency_order_lapses: Annotated[
        Fact[bool], _means("Whether an interim order that is not confirmed is undone.")
    ]
    interim_order_confirmed_within_h: Annotated[
        Fact[Hours], _means("Hours within which an interim order has to be confirmed.")
    ]
    orders_may_be_confidential: Annotated[
        Fact[bool], _means("Whether an order may forbid to tell of it.")
    ]
    order_must_state: Annotated[Fact[Several], _means("What an order has to contain.")]
    # The person concerned
    statement_of_reasons_required: Annotated[
        Fact[bool], _means("Whether the person must be told why something was restricted.")
    ]
    notice_must_state: Annotated[
        Fact[Several], _means("What the notice to the person has to contain.")
    ]
    appeal_allowed: Annotated[Fact[bool], _means("Whether people may appeal a decision.")]
    appeal_open_days: Annotated[Fact[Days], _means("Days for which an appeal is open.")]
    # Grievances
    grievance_acknowledged_within_h: Annotated[
        Fact[Hours], _means("Hours to acknowledge a grievance.")
    ]
    grievance_resolved_within_days: Annotated[Fact[Days], _means("Days to resolve a grievance.")]
    grievance_urgent_resolved_within_h: Annotated[
        Fact[Hours], _means("Hours to resolve a grievance of the urgent kinds.")
    ]
    # Officers
    officers_required: Annotated[
        Fact[Several], _means("Officers and contacts that every service has to name.")
    ]
    officers_required_of_large_services: Annotated[
        Fact[Several], _means("Officers that only large services have to name, too.")
    ]
    large_service_from_users: Annotated[
        Fact[People], _means("Registered people in the country from which a service is large.")
    ]
    # Reports to the public
    transparency_report_every_months: Annotated[
        Fact[Months], _means("Months between transparency reports, at most.")
    ]
    synthetic_media_labelled: Annotated[
        Fact[bool], _means("Whether synthetic media must be labelled.")
    ]
    # Notices
    breach_notice_at_once: Annotated[
        Fact[bool], _means("Whether a breach must be told without delay.")
    ]
    breach_detail_within_h: Annotated[
        Fact[Hours], _means("Hours to report a breach to the authority in detail.")
    ]
    transfer_notice_days: Annotated[
        Fact[Days], _means("Days for which people are told before the region is sold.")
    ]
    transition_grants_allowed: Annotated[
        Fact[bool], _means("Whether a former operator may be given access to help after a sale.")
    ]
    transition_grant_days: Annotated[
        Fact[Days], _means("Days after a sale at which such access ends at the latest.")
    ]

    @property
    def minimum_age(self) -> int:
        """Age in years from which a person may have an account."""
        return self.minimum_age_years.value or DEFAULT_MINIMUM_AGE_YEARS

    @property
    def profiling_age(self) -> int | None:
        """Age in years below which people are not profiled; None where nothing is asked.

        Who cannot be told to be that old counts as younger. Where no age of its own is stated,
        who is too young to consent is not profiled.
        """
        stated = self.profiling_minimum_age_years.value
        if stated is None and self.tracking_of_children_allowed.value is False:
            return CHILD_UNDER_YEARS
        return stated or self.consent_age_years.value

    @property
    def young_may_choose_profiling(self) -> bool:
        """Whether people below the profiling age may ask for a feed made from what they watch."""
        may_be_tracked = self.tracking_of_children_allowed.value is not False
        return may_be_tracked and self.consent_age_years.value is None

    @property
    def profiled_by_default(self) -> bool:
        """Whether the feed is made from what people watch until they choose otherwise."""
        return self.profiling_default.value in {None, "on"}

    @property
    def anonymous_feed(self) -> bool:
        """Whether people who are not signed in may have a feed that learns from them."""
        return self.anonymous_feed_allowed.value is not False

    def facts(self) -> Iterator[tuple[str, Fact[Any]]]:
        """Yield each key with its fact, in the order above."""
        for key in self.__struct_fields__:
            fact = getattr(self, key)
            if isinstance(fact, Fact):
                yield key, fact


def meanings() -> dict[str, str]:
    """Return what each key of a pack means, in a sentence."""
    hints = get_type_hints(PolicyPack, include_extras=True)
    return {
        key: hint.__metadata__[0].description
        for key, hint in hints.items()
        if getattr(hint, "__origin__", None) is not None and _is_fact(hint.__origin__)
    }


def _is_fact(kind: Any) -> bool:
    return getattr(kind, "__origin__", None) is Fact
