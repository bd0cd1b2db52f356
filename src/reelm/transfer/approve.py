"""Whether everybody who has to agree to a sale does: asked anew each time, of the very documents.

Each envelope is opened again at each look, with those keys that the scope names and that nobody
has revoked. So what is written into the tables by hand approves nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec
from sqlalchemy.orm import Session

from reelm.foundation.envelope import read_envelope, signers
from reelm.foundation.errors import Conflict
from reelm.proofs import sale
from reelm.proofs.sale import ApprovalStatement, RequiredApproval
from reelm.regions import orders, time_bounds
from reelm.regions.orders import KnownAuthority
from reelm.transfer.changes import changes
from reelm.transfer.current import KnownTransfer, open_transfer, statements
from reelm.transfer.models import TransferStatement
from reelm.transfer.stay import refuse_if_stayed

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope

SIDES = ("seller", "buyer")
Standing = Literal["missing", "approved", "refused", "revoked", "expired", "violated", "void"]


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where one authority stands to the open sale; `sentence` says why it does not approve."""

    authority_id: int
    authority: str
    powers: list[str]
    standing: Standing
    sentence: str = ""
    reference: str = ""
    valid_until: datetime | None = None
    for_a_person: list[str] = []


class Lack(msgspec.Struct, frozen=True):
    """One reason why the sale is not approved; `of` is who has to act, a side or an authority."""

    kind: str
    of: str
    sentence: str


def check_approvals(session: Session) -> list[Lack]:
    """Return what the open sale lacks to be approved, one sentence each; empty: it is approved.

    Raises:
        Missing: no sale is open.
        Unavailable: its scope is not what was proposed.
    """
    return lacks(session, open_transfer(session))


def refuse_unless_approved(session: Session) -> KnownTransfer:
    """Return the open sale if every step before the move is taken, and none of it is void.

    It stays so until the commit: what an authority says meanwhile, a stay or a key that is
    revoked is taken in afterwards.

    Raises:
        Missing: no sale is open.
        Conflict: it is stayed, or not approved; says by what.
    """
    transfer = open_transfer(session, lock=True)
    orders.hold_authorities(session)
    refuse_if_stayed(session)
    found = lacks(session, transfer)
    if found:
        raise Conflict(f"The sale is not approved. {' '.join(one.sentence for one in found)}")
    return transfer


def refuse_unless_approved_at(session: Session, transfer: KnownTransfer, at: datetime) -> None:
    """At the buyer: refuse a sale that was not approved, or stayed, when its cutover was signed.

    What the seller's own release or schema was then is the seller's to look at.

    Raises:
        Conflict: it was not; says what it lacked.
    """
    refuse_if_stayed(session)
    found = [one for one in lacks(session, transfer, at) if one.kind != "changed"]
    if found:
        raise Conflict(
            "The seller signed the cutover of a sale that was not approved."
            f" {' '.join(one.sentence for one in found)}"
        )


def lacks(session: Session, transfer: KnownTransfer, at: datetime | None = None) -> list[Lack]:
    """Return what a sale lacks to be approved, now or at a time."""
    said = statements(session, transfer.id)
    at = at or time_bounds(session).latest
    found = positions(session, transfer, said, at)
    return lacks_of(session, transfer, signed_sides(transfer, said), found, at)


def lacks_of(
    session: Session,
    transfer: KnownTransfer,
    signed: Collection[str],
    found: Sequence[Position],
    at: datetime,
) -> list[Lack]:
    """Return what a sale lacks that these sides have signed, where authorities stand so by then."""
    lacking = [
        Lack("unsigned", side, f"The {side} has not signed the scope.")
        for side in SIDES
        if side not in signed
    ]
    lacking += [
        Lack(one.standing, one.authority, one.sentence)
        for one in found
        if one.standing != "approved"
    ]
    scope = transfer.scope
    broken = sale.violated(scope, scope.conditions, at)
    lacking += [Lack("violated", "seller", f"By the scope itself {words}.") for words in broken]
    return lacking + [Lack("changed", "seller", words) for words in changes(session, transfer)]


def signed_sides(transfer: KnownTransfer, said: Sequence[TransferStatement]) -> set[str]:
    """Return which of seller and buyer have signed the scope."""
    found: set[str] = set()
    for row in said:
        if row.kind == "sale":
            envelope = read_envelope(row.envelope.encode(), sale.SALE_TYPE)
            if sale.read_sale(envelope.payload).scope_digest == transfer.scope_digest:
                found |= sides_of(transfer, envelope)
    return found


def sides_of(transfer: KnownTransfer, envelope: "Envelope") -> set[str]:
    """Return which of seller and buyer signed an envelope."""
    keys = {"seller": transfer.scope.seller.public_key, "buyer": transfer.scope.buyer.public_key}
    return {side for side, key in keys.items() if signers(envelope, [key], 0)}


def positions(
    session: Session,
    transfer: KnownTransfer,
    said: Sequence[TransferStatement],
    at: datetime,
) -> list[Position]:
    """Return where each authority stands by then that has to agree, in the order of the scope."""
    known = {str(one.id): one for one in orders.authorities(session)}
    required: dict[str, list[RequiredApproval]] = {}
    for one in transfer.scope.approvals:
        required.setdefault(one.authority, []).append(one)
    return [
        _position(transfer, rows, known.get(authority_id), said, at)
        for authority_id, rows in required.items()
    ]


def _position(
    transfer: KnownTransfer,
    rows: Sequence[RequiredApproval],
    authority: KnownAuthority | None,
    said: Sequence[TransferStatement],
    at: datetime,
) -> Position:
    required, powers = rows[0], [row.power for row in rows]

    def stands(standing: Standing, sentence: str, by: ApprovalStatement | None = None) -> Position:
        """Return where it stands, by which of its statements."""
        return Position(
            authority_id=int(required.authority),
            authority=required.name,
            powers=list(powers),
            standing=standing,
            sentence=sentence,
            reference="" if by is None else by.reference,
            valid_until=None if by is None else by.valid_until,
            for_a_person=[] if by is None else by.conditions.for_a_person,
        )

    name = required.name
    if authority is None or authority.ended_at is not None or set(powers) - set(authority.powers):
        return stands("void", f"{name} is no longer an authority with the power to agree here.")
    mine = [(row, _statement(row)) for row in said if row.authority_id == int(required.authority)]
    mine = [pair for pair in mine if is_about(pair[1], transfer, required)]
    speaks = sale.speaking([one for _, one in mine])
    if speaks is None:
        return stands("missing", f"{name} has not approved this scope.")
    if speaks.decision != "approve":
        word = "revoked its approval" if speaks.decision == "revoke" else "refused"
        standing: Standing = "revoked" if speaks.decision == "revoke" else "refused"
        return stands(standing, f"{name} {word} (reference {speaks.reference}).", speaks)
    row = next(row for row, one in mine if one is speaks)
    broken = _broken(transfer, required, authority, speaks, row, at)
    if broken is not None:
        return stands(*broken, speaks)
    return stands("approved", "", speaks)


def _broken(
    transfer: KnownTransfer,
    required: RequiredApproval,
    authority: KnownAuthority,
    approval: ApprovalStatement,
    row: TransferStatement,
    at: datetime,
) -> tuple[Standing, str] | None:
    """Return why an approval does not hold now, or None where it does."""
    which = f"The approval {approval.reference} of {required.name}"
    if approval.valid_until is None or at >= approval.valid_until:
        return "expired", f"{which} has expired."
    signed = len(signers(read_envelope(row.envelope.encode(), sale.APPROVAL_TYPE),
                         counting_keys(authority, required), 0))  # fmt: skip
    needed = max(required.threshold, authority.threshold)
    if signed < needed:
        return "void", (
            f"{which} has {signed} signatures by keys that count now, and {needed} are needed: a"
            " key that signed it was revoked; the authority signs again."
        )
    violated = sale.violated(transfer.scope, approval.conditions, at)
    if violated:
        return "violated", f"{which} does not hold: {'; '.join(violated)}."
    return None


def counting_keys(authority: KnownAuthority, required: RequiredApproval) -> list[str]:
    """Return the public keys that count: named in the scope, and not revoked."""
    return [
        key.public_key
        for key in authority.keys
        if key.revoked_at is None and key.key_id in required.keys
    ]


def is_about(
    statement: ApprovalStatement, transfer: KnownTransfer, required: RequiredApproval
) -> bool:
    """Whether a statement is of this authority, about this scope, buyer and region."""
    return (
        statement.authority == required.authority
        and statement.region == transfer.scope.region
        and statement.scope_digest == transfer.scope_digest
        and statement.buyer_key == transfer.scope.buyer.public_key
    )


def _statement(row: TransferStatement) -> ApprovalStatement:
    return sale.read_approval(read_envelope(row.envelope.encode(), sale.APPROVAL_TYPE).payload)
