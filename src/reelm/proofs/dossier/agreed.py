"""What was sold, and who agreed to it."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from reelm.foundation.clock import utc_text
from reelm.foundation.envelope import signers
from reelm.proofs.dossier.claim import Claim, listed, number
from reelm.proofs.dossier.files import LOG, Refuted
from reelm.proofs.dossier.papers import (
    CUTOVER,
    FIRST_SCOPE,
    FIRST_STATEMENTS,
    KEYS,
    SCOPE,
    STATEMENTS,
    Papers,
    fact,
    keys_by_id,
    named,
    payload_digest,
)
from reelm.proofs.sale import (
    APPROVAL_TYPE,
    GOES_ALONG,
    SALE_TYPE,
    ApprovalStatement,
    RequiredApproval,
    Scope,
    read_approval,
    read_sale,
    speaking,
    violated,
)

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope

PART = "What was sold, and who agreed"
_WORDS = {
    "transfer": "go along",
    "exclude": "stay with the seller",
    "rebuild": "are made anew by the buyer",
    "rekey": "are made anew under the buyer's key",
}


def claims(papers: Papers) -> Iterator[Claim]:
    """Yield what follows from the scope and from what was signed about it.

    Raises:
        Refuted: a signature is missing, or somebody signed something else.
    """
    scope = papers.scope
    yield _claim(
        "parties", f"{scope.seller.operator} sold region {scope.region} to {scope.buyer.operator},"
        f" which keeps it in {scope.buyer.country}.", SCOPE,
    )  # fmt: skip
    counted = Counter(str(one.disposition) for one in scope.data)
    kinds = [f"{counted[key]} {words}" for key, words in _WORDS.items() if counted[key]]
    yield _claim("scope", f"The scope has the digest {papers.scope_digest} and names"
                 f" {number(len(scope.data), 'thing')} that hold or carry data: {listed(kinds)}.",
                 SCOPE)  # fmt: skip
    assets = [f"{one.name}: {one.disposition}" for one in scope.technology]
    yield _claim("technology", f"Of the technology: {'; '.join(assets)}.", SCOPE)
    yield _signed(papers)
    if papers.first is not None:
        yield from _refused(papers, *papers.first)
    required: dict[str, list[RequiredApproval]] = {}
    for one in scope.approvals:
        required.setdefault(one.authority, []).append(one)
    if not any(one.power == "approve_transfer" for one in scope.approvals):
        raise Refuted(SCOPE, "By this scope nobody had to approve the transfer.")
    for rows in required.values():
        yield _approved(papers, rows)


def _signed(papers: Papers) -> Claim:
    scope, found = papers.scope, dict[str, str]()
    keys = {"seller": scope.seller.public_key, "buyer": scope.buyer.public_key}
    for name, envelope in papers.envelopes(STATEMENTS, SALE_TYPE, APPROVAL_TYPE):
        if envelope.payload_type != SALE_TYPE:
            continue
        told = named(name, read_sale, envelope.payload)
        if told.scope_digest != papers.scope_digest or told.region != scope.region:
            raise Refuted(name, "It is about another scope or region.")
        for side, key in keys.items():
            if signers(envelope, [key], 0):
                found[side] = name
    for side in keys:
        if side not in found:
            raise Refuted(STATEMENTS, f"The {side} has not signed the scope.")
    return _claim("signed", "Seller and buyer both signed this scope.", *sorted({*found.values()}))


def _refused(papers: Papers, first: Scope, digest: str) -> Iterator[Claim]:
    """Yield who refused an earlier scope, and that it came to nothing."""
    if digest == papers.scope_digest:
        raise Refuted(FIRST_SCOPE, "It is the scope that was sold, not an earlier one.")
    for name, told, envelope in _decisions(papers, FIRST_STATEMENTS, digest):
        if told.decision != "refuse":
            continue
        required = [one for one in first.approvals if one.authority == told.authority]
        if not required:
            raise Refuted(name, "It is of an authority that was not asked.")
        _require(papers, name, envelope, required[0])
        said = papers.entries("transfer.authority_decided")
        if payload_digest(envelope) not in {fact(leaf, "document_digest") for leaf in said}:
            raise Refuted(LOG, f"The refusal of {required[0].name} is not in the log.")
        controlled = [one for one in first.technology if one.export_controlled]
        goes = [one.name for one in controlled if one.disposition in GOES_ALONG]
        yield _claim(
            f"refused.{told.authority}",
            f"{required[0].name} refused an earlier scope ({told.reference}), by which these"
            f" export-controlled assets would have gone along: {listed(goes) or 'none'}.",
            FIRST_SCOPE, name,
        )  # fmt: skip
    _check_given_up(papers, digest)
    yield _claim("aborted", "The seller gave the earlier scope up, and no step of a move was taken"
                 " under it.", FIRST_SCOPE, LOG)  # fmt: skip


def _check_given_up(papers: Papers, digest: str) -> None:
    """Check that the seller's own part of the log has a scope given up, with no step under it."""
    closed = papers.closing.log.size
    ended = [
        leaf for leaf in papers.entries("transfer.aborted")
        if fact(leaf, "scope_digest") == digest and papers.place(leaf) < closed
    ]  # fmt: skip
    if not ended:
        raise Refuted(LOG, "The earlier scope was not given up before the log was closed.")
    steps = papers.entries("transfer.announced", "transfer.frozen", "transfer.cutover")
    if any(fact(leaf, "scope_digest") == digest for leaf in steps):
        raise Refuted(LOG, "A step of the move was taken under the earlier scope.")


def _approved(papers: Papers, rows: list[RequiredApproval]) -> Claim:
    required, powers = rows[0], [row.power for row in rows]
    said = _of_authority(papers, required)
    speaks = speaking([told for _, told, _ in said])
    if speaks is None or speaks.decision != "approve" or speaks.valid_until is None:
        raise Refuted(STATEMENTS, f"{required.name} has not approved the scope.")
    name, _, envelope = next(one for one in said if one[1] is speaks)
    signed = _require(papers, name, envelope, required)
    ended = papers.cutover_at
    if not speaks.issued_at <= ended < speaks.valid_until:
        raise Refuted(name, "It did not hold at the cutover.")
    broken = violated(papers.scope, speaks.conditions, ended)
    if broken:
        raise Refuted(name, f"Its conditions do not hold: {'; '.join(broken)}.")
    conditions, until = named(name, _conditions, speaks), named(name, utc_text, speaks.valid_until)
    return _claim(
        f"approved.{required.authority}",
        f"{required.name} approved this scope ({listed(powers)}) with {signed} of its keys,"
        f" {required.threshold} being needed, until {until}{conditions};"
        " it held at the cutover.",
        name, SCOPE, KEYS, LOG, CUTOVER,
    )  # fmt: skip


def _of_authority(
    papers: Papers, required: RequiredApproval
) -> list[tuple[str, ApprovalStatement, "Envelope"]]:
    """Return all that an authority said of the scope until the cutover, as the log has it."""
    lie_here = {
        payload_digest(one[2]): one
        for one in _decisions(papers, STATEMENTS, papers.scope_digest)
        if one[1].authority == required.authority
    }
    said = []
    for leaf in papers.entries("transfer.authority_decided"):
        about = (fact(leaf, "scope_digest"), fact(leaf, "authority_id"))
        if about != (papers.scope_digest, required.authority):
            continue
        if papers.place(leaf) > papers.cutover_place:
            break
        digest = fact(leaf, "document_digest")
        if digest not in lie_here:
            raise Refuted(LOG, f"Something that {required.name} said ({digest}) does not lie here.")
        said.append(lie_here.pop(digest))
    for name, _, _ in lie_here.values():
        raise Refuted(name, "The log does not say that it came in before the cutover.")
    return said


def _conditions(approval: ApprovalStatement) -> str:
    told, found = approval.conditions, []
    if told.data_country:
        found.append(f"the data stays in {told.data_country}")
    found += [f"the asset {name} stays behind" for name in told.excluded_assets]
    if told.cutover_before:
        found.append(f"the cutover is before {utc_text(told.cutover_before)}")
    found += [f"for a person to check: {words}" for words in told.for_a_person]
    return f", if {listed(found)}" if found else ""


def _decisions(
    papers: Papers, folder: str, digest: str
) -> Iterator[tuple[str, ApprovalStatement, "Envelope"]]:
    """Yield what authorities said of a scope, in the order in which it came in."""
    for name, envelope in papers.envelopes(folder, SALE_TYPE, APPROVAL_TYPE):
        if envelope.payload_type != APPROVAL_TYPE:
            continue
        told = named(name, read_approval, envelope.payload)
        about = (told.region, told.scope_digest, told.buyer_key)
        if about != (papers.scope.region, digest, papers.scope.buyer.public_key):
            raise Refuted(name, "It is about another region, scope or buyer.")
        yield name, told, envelope


def _require(papers: Papers, name: str, envelope: "Envelope", required: RequiredApproval) -> int:
    """Return how many keys of an authority signed; too few are refused."""
    known, revoked = keys_by_id(papers.keys.of(required.authority)), _revoked(papers)
    counting = [known[key] for key in required.keys if key in known.keys() - revoked]
    signed = len(signers(envelope, counting, 0))
    if signed < required.threshold:
        raise Refuted(name, f"It has {signed} good signatures of {required.name}, and"
                      f" {required.threshold} are needed.")  # fmt: skip
    return signed


def _revoked(papers: Papers) -> set[str]:
    """Return the keyids that were revoked, and those of authorities that ended, by the cutover."""
    gone, found = set[str](), set[str]()
    for leaf in papers.log[: papers.cutover_place]:
        if leaf.kind == "regions.authority_key_revoked":
            found.add(fact(leaf, "key_id"))
        elif leaf.kind == "regions.authority_ended":
            gone.add(fact(leaf, "authority_id"))
    ended = [key for authority in gone for key in papers.keys.of(authority)]
    return found | keys_by_id(ended).keys()


def _claim(name: str, sentence: str, *files: str) -> Claim:
    return Claim(name, PART, sentence, list(files))
