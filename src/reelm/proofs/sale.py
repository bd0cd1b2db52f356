"""The documents of a sale: its scope, its signatures, and what authorities say to it.

docs/transfer.md describes each field. A field that is not known is refused, so that nothing
anybody signs is passed over. Nothing here needs a database: whoever holds the documents reads them.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from reelm.foundation.countries import Country, require_countries
from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical, decoded

SCOPE_FORM: Literal["reelm-scope/1"] = "reelm-scope/1"
BUYER_FORM: Literal["reelm-buyer/1"] = "reelm-buyer/1"
SALE_FORM = "reelm-sale/1"
APPROVAL_FORM = "reelm-approval/1"
SALE_TYPE = "application/vnd.reelm.sale+json"
APPROVAL_TYPE = "application/vnd.reelm.approval+json"

Region = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Key = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Id = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,18}$")]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Words = Annotated[str, Meta(max_length=1000)]
Recipient = Annotated[str, Meta(pattern=r"^age1[0-9a-z]{58}$")]
Time = Annotated[datetime, Meta(tz=True)]
Decision = Literal["approve", "refuse", "revoke"]
DataDisposition = Literal["transfer", "exclude", "rebuild", "rekey"]
Disposition = Literal["transfer", "license", "retrain", "exclude"]
# Of these the thing itself goes to the buyer.
GOES_ALONG = frozenset({"transfer", "license"})


class _Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a document: what it does not name is refused."""


class Conditions(_Form, frozen=True, omit_defaults=True):
    """Under which an approval holds; what the software cannot check is listed for a person."""

    data_country: Country | None = None
    excluded_assets: Annotated[list[Name], Meta(max_length=100)] = []
    cutover_before: Time | None = None
    for_a_person: Annotated[list[Words], Meta(max_length=100)] = []


class Seller(_Form, frozen=True):
    """The operator in charge, whose tenure is sold."""

    operator: Name
    public_key: Key
    epoch: int


class Buyer(_Form, frozen=True):
    """The operator that takes over; `country` is where it will keep database, store and keys."""

    operator: Name
    public_key: Key
    recipient: Recipient
    country: Country


class BuyerFile(Buyer, frozen=True):
    """What a buyer hands to the seller before the proposal."""

    form: Literal["reelm-buyer/1"]


class DataItem(_Form, frozen=True):
    """One thing that holds data, and what becomes of it by which rule."""

    place: str
    name: str
    disposition: DataDisposition
    rule: str
    reason: str


class Asset(_Form, frozen=True):
    """A technology asset; `about` says what the digest is of, and how it came to be."""

    name: Name
    kind: Literal["release", "sbom", "ffmpeg", "policy_pack", "model"]
    digest: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?$")]
    origin: Annotated[str, Meta(pattern=r"^([A-Z]{2})?$")]
    export_controlled: bool
    disposition: Disposition
    terms: Words
    about: dict[str, str | int | list[str]]


class RequiredApproval(_Form, frozen=True):
    """An authority that has to agree, and which of its keys have to sign."""

    authority: Id
    name: Name
    power: Literal["approve_transfer", "license_technology"]
    threshold: Annotated[int, Meta(ge=1)]
    keys: list[Digest]


class Scope(_Form, frozen=True):
    """What is sold, to whom, and who has to agree."""

    form: Literal["reelm-scope/1"]
    region: Region
    seller: Seller
    buyer: Buyer
    made_at: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    release: str
    schema: str
    data: list[DataItem]
    technology: list[Asset]
    approvals: list[RequiredApproval]
    conditions: Conditions

    def asset(self, name: str) -> Asset | None:
        """Return the technology asset of a name."""
        return next((one for one in self.technology if one.name == name), None)


class SaleStatement(_Form, frozen=True):
    """What seller and buyer sign: this scope is what they agreed on."""

    form: Literal["reelm-sale/1"]
    region: Region
    scope_digest: Digest
    issued_at: Time


class ApprovalStatement(_Form, frozen=True):
    """What an authority signs about one scope and one buyer."""

    form: Literal["reelm-approval/1"]
    region: Region
    authority: Id
    reference: Name
    scope_digest: Digest
    buyer_key: Key
    decision: Decision
    issued_at: Time
    conditions: Conditions = Conditions()
    valid_until: Time | None = None


T = TypeVar("T", Scope, BuyerFile, SaleStatement, ApprovalStatement)


def digest_of(document: bytes) -> str:
    """Return SHA-256 of a document, in hex."""
    return hashlib.sha256(document).hexdigest()


def read_scope(text: bytes) -> Scope:
    """Read a scope; a newline at its end is no part of it.

    Raises:
        Invalid: it is none, or its bytes are not canonical: each scope has one digest.
    """
    scope = _read(text, Scope, SCOPE_FORM)
    if canonical(scope) != text.removesuffix(b"\n"):
        raise Invalid(
            "The scope is not in canonical form (RFC 8785): it was edited or reformatted."
        )
    return scope


def read_buyer(text: bytes) -> Buyer:
    """Read the file of a buyer.

    Raises:
        Invalid: it is not in the documented form; says where.
    """
    told = _read(text, BuyerFile, BUYER_FORM)
    _check_texts(told.operator)
    require_countries([told.country], what="country")
    return Buyer(
        operator=told.operator,
        public_key=told.public_key,
        recipient=told.recipient,
        country=told.country,
    )


def read_sale(payload: bytes) -> SaleStatement:
    """Read what an operator signed.

    Raises:
        Invalid: it is not in the documented form; says where.
    """
    told = _read(payload, SaleStatement, SALE_FORM)
    _check_times(told.issued_at)
    return told


def read_approval(payload: bytes) -> ApprovalStatement:
    """Read what an authority signed.

    Raises:
        Invalid: it is not in the documented form, or it contradicts itself; says where.
    """
    told = _read(payload, ApprovalStatement, APPROVAL_FORM)
    _check_times(told.issued_at, told.valid_until, told.conditions.cutover_before)
    _check_texts(told.reference, *told.conditions.for_a_person, *told.conditions.excluded_assets)
    require_countries(filter(None, [told.conditions.data_country]), what="conditions.data_country")
    if told.decision == "approve" and told.valid_until is None:
        raise Invalid("An approval has to say until when it is valid (valid_until).")
    if told.decision != "approve" and (told.valid_until or told.conditions != Conditions()):
        raise Invalid(f"To {told.decision} knows no conditions and no end: leave them out.")
    if told.valid_until is not None and told.valid_until <= told.issued_at:
        raise Invalid("valid_until is not after issued_at.")
    return told


def speaking(statements: Sequence[ApprovalStatement]) -> ApprovalStatement | None:
    """Return the statement of one authority that counts, of all it made on one scope.

    It is the approval issued last, where nothing against it was issued at its time or later or
    came in after it; else the refusal or revocation that came last.

    Args:
        statements: in the order in which they came in.
    """
    against = [(place, one) for place, one in enumerate(statements) if one.decision != "approve"]
    approvals = [
        (one.issued_at, place) for place, one in enumerate(statements) if one.decision == "approve"
    ]
    if not approvals:
        return against[-1][1] if against else None
    issued_at, place = max(approvals)
    stronger = [one for at, one in against if at > place or one.issued_at >= issued_at]
    return stronger[-1] if stronger else statements[place]


def violated(scope: Scope, conditions: Conditions, at: datetime) -> list[str]:
    """Return the conditions that do not hold at a time, each as a sentence without its end."""
    found = []
    if conditions.data_country not in {None, scope.buyer.country}:
        found.append(
            f"data has to stay in {conditions.data_country}, and the buyer keeps it in"
            f" {scope.buyer.country}"
        )
    for name in conditions.excluded_assets:
        asset = scope.asset(name)
        if asset is None:
            found.append(
                f"the asset {name} has to stay behind, and the scope knows none of that name"
            )
        elif asset.disposition in GOES_ALONG:
            found.append(
                f"the asset {name} has to stay behind, and goes along ({asset.disposition})"
            )
    before = conditions.cutover_before
    if before is not None and at >= before:
        found.append(f"the cutover had to be before {_text(before)}")
    return found


def _text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _read(text: bytes, form: type[T], name: str) -> T:
    return decoded(text, form, f"The document is not in the form {name}")


def _check_times(*times: datetime | None) -> None:
    """Refuse a time that is none in UTC, such as the last second of 9999 west of Greenwich."""
    try:
        for time in filter(None, times):
            time.astimezone(UTC)
    except OverflowError:
        raise Invalid("A time of the document is beyond what a calendar has.") from None


def _check_texts(*texts: Any) -> None:
    if any(not text.isprintable() for text in texts):
        raise Invalid("The texts of the document hold characters that cannot be shown.")
