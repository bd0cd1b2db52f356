"""What an order says: the documented JSON form that an authority signs.

docs/orders.md describes it field by field. A field that is not known is refused, so that nothing
an authority says is passed over.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reelm.foundation.errors import Invalid

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

Reference = Annotated[str, Meta(min_length=1, max_length=200)]
Id = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,18}$")]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
MOST_TARGETS = 1000


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
    region: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
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
    try:
        statement = msgspec.json.decode(payload, type=OrderStatement)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Invalid(f"The order is not in the form {FORM}: {error}.") from None
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
        raise Invalid("An order to geo restrict has to name the countries.")
    if statement.countries is not None and kind not in RESTRICTING:
        raise Invalid(f"An order to {_words(kind)} holds everywhere: leave countries out.")
    if statement.lapses_at is not None and not statement.interim and kind != "preserve":
        raise Invalid(
            "Only an interim order, or one to preserve, lapses: leave lapses_at out, or say that"
            " it is interim."
        )
    if statement.interim and kind not in RESTRICTING:
        raise Invalid(f"An order to {_words(kind)} cannot be interim.")
    if statement.confidential and kind == "stay_transfer":
        raise Invalid(
            "A stay of the transfer binds seller, buyer and authorities: it cannot be secret."
        )
    _check_times(statement)
    _check_texts((statement.reference, statement.basis, *targets.orders))
    _check_texts(statement.reasons.splitlines())


def _check_times(statement: OrderStatement) -> None:
    times = (statement.issued_at, statement.complies_by, statement.lapses_at)
    if any(time is not None and time.tzinfo is None for time in times):
        raise Invalid("Times need their zone, such as 2026-11-23T10:00:00Z.")
    for name in ("complies_by", "lapses_at"):
        time = getattr(statement, name)
        if time is not None and time <= statement.issued_at:
            raise Invalid(f"{name} is not after issued_at.")


def _check_texts(texts: Sequence[str]) -> None:
    for text in texts:
        if not text.isprintable():
            raise Invalid("The texts of an order hold characters that cannot be shown.")


def _words(kind: str) -> str:
    return kind.replace("_", " ")
