"""What an order says: the documented JSON form that an authority signs.

docs/orders.md describes it field by field. A field that is not known, or is given twice, is
refused, so that nothing an authority says is passed over.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reelm.foundation.countries import Country, require_countries
from reelm.foundation.errors import Invalid
from reelm.foundation.ids import MAX_ID
from reelm.foundation.strict_json import decoded

FORM = "reelm-order/1"
PAYLOAD_TYPE = "application/vnd.reelm.order+json"

Kind = Literal[
    "remove",
    "geo_restrict",
    "suspend_account",
    "block_service",
    "preserve",
    "disclose",
    "stay_transfer",
    "confirm",
    "lift",
]
Category = Literal["general", "intimate_imagery", "terrorist_content"]
Power = Literal[
    "order_content",
    "order_service",
    "order_data",
    "approve_transfer",
    "license_technology",
    "supervise",
]

# Which power each kind needs. An order about an order needs that one's power, or `supervise`.
POWER_FOR: dict[str, Power] = {
    "remove": "order_content",
    "geo_restrict": "order_content",
    "suspend_account": "order_content",
    "block_service": "order_service",
    "preserve": "order_data",
    "disclose": "order_data",
    "stay_transfer": "supervise",
}
# What each kind is aimed at; the others name nothing of these.
AIMED_AT: dict[str, frozenset[str]] = {
    "remove": frozenset({"videos"}),
    "geo_restrict": frozenset({"videos", "accounts"}),
    "suspend_account": frozenset({"accounts"}),
    "block_service": frozenset(),
    "preserve": frozenset({"accounts"}),
    "disclose": frozenset({"accounts"}),
    "stay_transfer": frozenset(),
    "confirm": frozenset({"orders"}),
    "lift": frozenset({"orders"}),
}
# Those that withhold something for as long as they are in force.
RESTRICTING = frozenset({"remove", "geo_restrict", "suspend_account", "block_service"})
# Those about other orders: done at once, and then over.
ABOUT_ORDERS = frozenset({"confirm", "lift"})
# "An order to ...", for people.
TO_DO: dict[str, str] = {
    "remove": "remove videos",
    "geo_restrict": "withhold in some countries",
    "suspend_account": "suspend accounts",
    "block_service": "block the service",
    "preserve": "preserve data",
    "disclose": "disclose data",
    "confirm": "confirm other orders",
    "lift": "lift other orders",
    "stay_transfer": "stay the transfer",
}

Reference = Annotated[str, Meta(min_length=1, max_length=200)]
Id = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,18}$")]
RegionName = Annotated[
    str,
    Meta(pattern=r"^[0-9a-f]{32}$", description="The region's name in orders, 32 hex digits."),
]
MOST_TARGETS = 1000
# With a year to spare, so that no zone takes a time out of the years 1 to 9999.
FIRST_YEAR, LAST_YEAR = 1900, 9998


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the form: what it does not name is refused."""


class Targets(_Form, frozen=True):
    """Exactly what the order is aimed at: ids, or references of this authority's or other orders.

    A reference of another authority's order is `<authority id>/<reference>`.
    """

    videos: Annotated[list[Id], Meta(max_length=MOST_TARGETS)] = []
    accounts: Annotated[list[Id], Meta(max_length=MOST_TARGETS)] = []
    orders: Annotated[list[Reference], Meta(max_length=MOST_TARGETS)] = []

    @property
    def subject_ids(self) -> list[int]:
        """The ids of videos and accounts."""
        return [int(number) for number in (*self.videos, *self.accounts)]


class OrderStatement(_Form, frozen=True):
    """An order, as its authority wrote it."""

    form: Literal["reelm-order/1"]
    region: RegionName
    authority: Id
    reference: Reference
    kind: Kind
    basis: Annotated[str, Meta(min_length=1, max_length=200)]
    issued_at: datetime
    reasons: Annotated[str, Meta(max_length=4000)] = ""
    targets: Targets = Targets()
    countries: Annotated[list[Country], Meta(min_length=1, max_length=250)] | None = None
    category: Category = "general"
    interim: bool = False
    confidential: bool = False
    complies_by: datetime | None = None
    lapses_at: datetime | None = None


def read_statement(payload: bytes) -> OrderStatement:
    """Read and check the text of an order.

    Raises:
        Invalid: it is not in the documented form, or it contradicts itself; says where.
    """
    statement = decoded(payload, OrderStatement, f"The order is not in the form {FORM}")
    check(statement)
    return statement


def check(statement: OrderStatement) -> None:
    """Refuse a statement that contradicts itself.

    Raises:
        Invalid: says what.
    """
    kind, targets = statement.kind, statement.targets
    named = {name for name in ("videos", "accounts", "orders") if getattr(targets, name)}
    wanted = AIMED_AT[kind]
    if wanted and not named:
        raise Invalid(f"An order to {_words(kind)} has to name {' or '.join(sorted(wanted))}.")
    if named - wanted:
        extra = ", ".join(sorted(named - wanted))
        raise Invalid(f"An order to {_words(kind)} cannot be aimed at {extra}.")
    if kind == "geo_restrict" and statement.countries is None:
        raise Invalid(f"An order to {_words(kind)} has to name the countries.")
    if statement.countries is not None and kind not in RESTRICTING:
        raise Invalid(f"An order to {_words(kind)} holds everywhere: leave countries out.")
    require_countries(statement.countries or ())
    if statement.lapses_at is not None and not statement.interim and kind != "preserve":
        raise Invalid(
            "Only an interim order, or one to preserve, lapses: leave lapses_at out, or say that"
            " it is interim."
        )
    if statement.interim and kind not in RESTRICTING:
        raise Invalid(f"An order to {_words(kind)} cannot be interim.")
    _check_ids((statement.authority, *targets.videos, *targets.accounts))
    if statement.confidential and kind == "stay_transfer":
        raise Invalid(
            "A stay of the transfer binds seller, buyer and authorities: it cannot be secret."
        )
    _check_times(statement)
    _check_texts((statement.reference, statement.basis, *targets.orders))
    _check_texts(statement.reasons.splitlines())


def _check_ids(ids: Sequence[str]) -> None:
    too_large = next((one for one in ids if int(one) > MAX_ID), None)
    if too_large is not None:
        raise Invalid(f"{too_large} is no id that was given out here: it is too large.")


def _check_times(statement: OrderStatement) -> None:
    for name in ("issued_at", "complies_by", "lapses_at"):
        time: datetime | None = getattr(statement, name)
        if time is None:
            continue
        if time.tzinfo is None:
            raise Invalid(f"{name} needs its zone, such as 2026-11-23T10:00:00Z.")
        if not FIRST_YEAR <= time.year <= LAST_YEAR:
            raise Invalid(f"{name} is not between the years {FIRST_YEAR} and {LAST_YEAR}.")
        if name != "issued_at" and time <= statement.issued_at:
            raise Invalid(f"{name} is not after issued_at.")


def _check_texts(texts: Sequence[str]) -> None:
    for text in texts:
        if not text.isprintable():
            raise Invalid("The texts of an order hold characters that cannot be shown.")


def _words(kind: str) -> str:
    return f"{TO_DO[kind]} ({kind})"
