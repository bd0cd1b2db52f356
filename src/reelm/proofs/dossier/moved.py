"""The steps before the move, the move itself, and the log over all of it."""

import hashlib
from collections.abc import Iterator

from reelm.foundation.envelope import key_id
from reelm.proofs import handover
from reelm.proofs.dossier.claim import Claim, number, seconds
from reelm.proofs.dossier.files import LOG, Refuted, read
from reelm.proofs.dossier.papers import CLOSING, CUTOVER, RECEIPT, ROOM, SCOPE, Papers, fact, named
from reelm.proofs.leaf import Leaf
from reelm.proofs.note import Checkpoint, Note
from reelm.proofs.sale import GOES_ALONG

PART = "The move"
# What the ranker has learned, and where it lies.
MODEL_TABLE, MODEL_PREFIX = "ranker_snapshot", "snapshots"


def claims(papers: Papers) -> Iterator[Claim]:
    """Yield what follows from the log, the closing manifest, the receipt and the cutover.

    Raises:
        Refuted: two of them contradict each other, or a step is missing.
    """
    yield _room(papers)
    yield from _told_and_frozen(papers)
    yield _closed(papers)
    yield _equal(papers)
    yield _model(papers)
    yield _cut_over(papers)
    yield _log(papers)


def _room(papers: Papers) -> Claim:
    viewed = papers.entries("transfer.room_viewed")
    files = papers.under(ROOM)
    digests = {hashlib.sha256(read(papers.folder, name)).hexdigest(): name for name in files}
    shown = {fact(leaf, "digest") for leaf in viewed}
    for digest, name in digests.items():
        if digest not in shown:
            raise Refuted(name, "The log does not say that it was shown in the data room.")
    if shown - digests.keys():
        raise Refuted(LOG, "A document that was shown in the data room does not lie here.")
    return _claim(
        "room", f"The buyer looked {number(len(viewed), 'time')} into the data room;"
        f" {number(len(files), 'document')} of it lie here, and each look is in the log with the"
        " digest of what was shown.", *files, LOG,
    )  # fmt: skip


def _told_and_frozen(papers: Papers) -> Iterator[Claim]:
    told = _last(papers, "transfer.announced", papers.scope_digest)
    frozen = _last(papers, "transfer.frozen", papers.scope_digest)
    thawed = papers.entries("transfer.thawed")
    if thawed and papers.place(thawed[-1]) > papers.place(frozen):
        raise Refuted(LOG, "The region was thawed again before the cutover.")
    from_ = fact(told, "freeze_from")
    if papers.place(told) > papers.place(frozen) or from_ > frozen.at:
        raise Refuted(LOG, "The region was frozen before the time that people were told.")
    yield _claim(
        "announced", f"Everybody was told of the sale at {seconds(told.at)}, and that nothing is"
        f" frozen before {seconds(from_)}.", LOG,
    )  # fmt: skip
    if not frozen.at <= papers.cutover.ended_at:
        raise Refuted(CUTOVER, "The seller's tenure ended before the region was frozen.")
    yield _claim(
        "frozen", f"The region was frozen at {seconds(frozen.at)}, and the seller's tenure ended"
        f" at {seconds(papers.cutover.ended_at)}; it was not thawed between.", LOG, CUTOVER,
    )  # fmt: skip


def _closed(papers: Papers) -> Claim:
    closing = papers.closing
    told = (closing.region, closing.scope_digest, closing.epoch)
    if told != (papers.scope.region, papers.scope_digest, papers.scope.seller.epoch):
        raise Refuted(CLOSING, "It is of another region, scope or epoch.")
    _check_as_scoped(papers)
    rows = sum(table.rows for table in closing.tables)
    return _claim(
        "closed", f"What the seller closed: {number(rows, 'row')} in"
        f" {number(len(closing.tables), 'table')}, each with a Merkle root, and"
        f" {number(closing.objects.count, 'object')}; {number(len(closing.excluded), 'thing')}"
        " stay by a named rule.", CLOSING, SCOPE,
    )  # fmt: skip


def _check_as_scoped(papers: Papers) -> None:
    """Check that what was closed is what the scope says, and the log the one of its checkpoint."""
    scope, closing = papers.scope, papers.closing
    tables = [one for one in scope.data if one.place == "table"]
    goes = {one.name for one in tables if one.disposition == "transfer"}
    closed = [table.name for table in closing.tables]
    if sorted(closed) != sorted(goes):
        raise Refuted(CLOSING, "Its tables are not those that go along by the scope.")
    stays = {one.name for one in closing.excluded if one.place == "table"}
    if stays != {one.name for one in tables} - goes:
        raise Refuted(CLOSING, "The tables that stay are not those that stay by the scope.")
    assets = {(one.name, str(one.disposition)) for one in closing.assets}
    if assets != {(one.name, str(one.disposition)) for one in scope.technology}:
        raise Refuted(CLOSING, "Its technology assets are not those of the scope.")
    note = named(CLOSING, Note.parse, closing.log.checkpoint)
    seen = named(CLOSING, Checkpoint.parse, note.text)
    if (seen.size, seen.root.hex()) != (closing.log.size, closing.log.root):
        raise Refuted(CLOSING, "Its log is not the one of its own checkpoint.")


def _equal(papers: Papers) -> Claim:
    receipt, closing = papers.receipt, papers.closing
    if receipt.outcome != "equal" or receipt.found:
        raise Refuted(RECEIPT, "The buyer disputes what it received.")
    if receipt.closing_digest != papers.closing_digest:
        raise Refuted(RECEIPT, "It is about another closing manifest.")
    log = receipt.log
    if log is None or (log.size, log.root) != (closing.log.size, closing.log.root):
        raise Refuted(RECEIPT, "It names another log than was closed.")
    return _claim(
        "equal", "The buyer signed that it computed the same roots over every table, over the"
        f" objects and over the log of {number(log.size, 'entry', 'entries')}, from its own"
        " database and store.", RECEIPT, CLOSING,
    )  # fmt: skip


def _model(papers: Papers) -> Claim:
    model = papers.scope.asset("model")
    if model is None:
        raise Refuted(SCOPE, "It does not say what becomes of the ranking model.")
    stays = {(one.place, one.name) for one in papers.closing.excluded}
    for one in (("table", MODEL_TABLE), ("object prefix", MODEL_PREFIX)):
        if one not in stays:
            raise Refuted(CLOSING, f"It does not say that the {one[0]} {one[1]} stays.")
    serves = papers.entries("feed.model_serves")
    begun = f" One serves since {seconds(serves[-1].at)}." if serves else ""
    if model.disposition in GOES_ALONG:
        sentence = f"The ranking model went along as a file of its own ({model.disposition})."
    else:
        sentence = (
            f"The ranking model stayed behind ({model.disposition}): neither the table"
            f" {MODEL_TABLE} nor the objects {MODEL_PREFIX}/ were closed."
        )
    return _claim("model", sentence + begun, SCOPE, CLOSING, LOG)


def _cut_over(papers: Papers) -> Claim:
    cutover = papers.cutover
    told = (cutover.closing_digest, cutover.receipt_digest)
    if told != (papers.closing_digest, papers.receipt_digest):
        raise Refuted(CUTOVER, "It is about another closing manifest or receipt.")
    found = papers.entries("transfer.cutover")
    if len(found) != 1:
        raise Refuted(LOG, f"It has {len(found)} cutovers, and there was one.")
    keys = (cutover.seller_key, cutover.buyer_key)
    known = {
        "scope_digest": papers.scope_digest,
        "closing_digest": papers.closing_digest,
        "document_digest": handover.cutover_digest(papers.cutover_text),
        "from_epoch": cutover.from_epoch,
        "to_epoch": cutover.to_epoch,
        "seller_signature": handover.signature_of(papers.cutover_text, key_id(keys[0])),
        "buyer_signature": handover.signature_of(papers.cutover_text, key_id(keys[1])),
    }
    for name, value in known.items():
        if fact(found[0], name) != str(value):
            raise Refuted(LOG, f"Its entry of the cutover has another {name}.")
    tenure = _last(papers, "regions.tenure_begun")
    begun = (fact(tenure, "epoch"), fact(tenure, "public_key"))
    if begun != (str(cutover.to_epoch), cutover.buyer_key):
        raise Refuted(LOG, "The tenure that began last is not the one of the cutover.")
    return _claim(
        "cutover", f"One cutover, signed by both: epoch {cutover.from_epoch} ended at"
        f" {seconds(cutover.ended_at)}, epoch {cutover.to_epoch} began at {seconds(tenure.at)}."
        f" {cutover.operator} is in charge.", CUTOVER, LOG,
    )  # fmt: skip


def _log(papers: Papers) -> Claim:
    report = papers.report
    return _claim(
        "log", f"The region's log is whole: {number(report.size, 'entry', 'entries')} with the root"
        f" {report.root}. It begins with the {number(papers.closing.log.size, 'entry', 'entries')}"
        " that the seller closed, and goes on under the buyer's key, which the seller's endorsed.",
        LOG, CLOSING, SCOPE,
    )  # fmt: skip


def _last(papers: Papers, kind: str, scope_digest: str = "") -> Leaf:
    """Return the last entry of a kind, of this scope where one is given."""
    found = [
        leaf
        for leaf in papers.entries(kind)
        if not scope_digest or fact(leaf, "scope_digest") == scope_digest
    ]
    if not found:
        raise Refuted(LOG, f"It has no entry {kind} of this sale.")
    return found[-1]


def _claim(name: str, sentence: str, *files: str) -> Claim:
    return Claim(name, PART, sentence, list(files))
