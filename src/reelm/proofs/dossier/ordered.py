"""What authorities ordered while the sale went on, and what the region did."""

from collections.abc import Iterator

import msgspec

from reelm.foundation.envelope import key_id, signers
from reelm.foundation.errors import Invalid
from reelm.proofs.dossier.claim import Claim, number, seconds
from reelm.proofs.dossier.files import LOG, Refuted
from reelm.proofs.dossier.papers import (
    KEYS,
    ORDER_TYPE,
    ORDERS,
    SCOPE,
    Papers,
    fact,
    named,
    payload_digest,
)
from reelm.proofs.leaf import Leaf

PART = "What authorities ordered meanwhile"
STAY, BAN = "stay_transfer", "block_service"


class _Order(msgspec.Struct):
    """What is read of an order here; docs/orders.md has all of it."""

    authority: str


def claims(papers: Papers) -> Iterator[Claim]:
    """Yield what follows from the orders and from the log.

    Raises:
        Refuted: an order is not signed, or not what the log says; a step was taken during a stay.
    """
    _check_keys(papers)
    yield _signed(papers)
    held = papers.entries("regions.order_in_force")
    for leaf in held:
        if fact(leaf, "order_kind") == STAY:
            yield _stay(papers, leaf)
        elif fact(leaf, "order_kind") == BAN:
            yield _ban(papers, leaf)
    yield from _while_frozen(papers, held)


def _check_keys(papers: Papers) -> None:
    """Check that names and keys of authorities are those that the log had when it was closed.

    What came later is the buyer's word alone. A key of an operator is none of an authority, and
    one key stands for one authority.
    """
    closed = papers.closing.log.size
    names = {
        fact(leaf, "authority_id"): fact(leaf, "name")
        for leaf in papers.entries("regions.authority_added", "regions.authority_changed")
        if papers.place(leaf) < closed
    }
    entries = papers.entries("regions.authority_key_added")
    added = {
        (fact(leaf, "authority_id"), fact(leaf, "key_id"))
        for leaf in entries
        if papers.place(leaf) < closed
    }
    seller, buyer = papers.scope.seller.public_key, papers.scope.buyer.public_key
    if seller == buyer:
        raise Refuted(SCOPE, "Seller and buyer have the same key.")
    taken = {seller, buyer}
    for one in papers.keys.authorities:
        if names.get(one.id) != one.name:
            raise Refuted(KEYS, f"The log knows no authority {one.id} that is called {one.name}.")
        for key in one.keys:
            if key in taken:
                raise Refuted(KEYS, f"The key {key} of {one.name} stands for somebody else, too.")
            if (one.id, key_id(key)) not in added:
                raise Refuted(KEYS, f"The closed log knows no key {key} of {one.name}.")
            taken.add(key)


def _signed(papers: Papers) -> Claim:
    """Claim that each order that lies here was signed by its authority, and is in the log."""
    held = papers.entries("regions.order_in_force")
    signed = [leaf for leaf in held if fact(leaf, "channel") == "signed"]
    logged = {fact(leaf, "document_digest"): leaf for leaf in signed}
    files = papers.under(ORDERS)
    for name, envelope in papers.envelopes(ORDERS, ORDER_TYPE):
        authority = named(name, _authority, envelope.payload)
        if not signers(envelope, papers.keys.of(authority), 0):
            raise Refuted(name, "It is not signed by a key that the log names of its authority.")
        leaf = logged.pop(payload_digest(envelope), None)
        if leaf is None or fact(leaf, "authority_id") != authority:
            raise Refuted(name, "The log does not say that it held.")
    if logged:
        left = next(iter(logged.values()))
        raise Refuted(LOG, f"Its order {fact(left, 'order_id')} does not lie in {ORDERS}/.")
    return _claim(
        "orders", f"{number(len(files), 'signed order')} held in the region's whole time, each as"
        " its authority signed it, each in the log by its digest; and"
        f" {len(held) - len(signed)} that came on paper.", *files, KEYS, LOG,
    )  # fmt: skip


def _authority(payload: bytes) -> str:
    """Return the authority whose order it is.

    Raises:
        Invalid: it is no order.
    """
    try:
        return msgspec.json.decode(payload, type=_Order).authority
    except (msgspec.MsgspecError, ValueError):
        raise Invalid("It is no order.") from None


def _stay(papers: Papers, order: Leaf) -> Claim:
    end = _end(papers, order)
    if end is None:
        raise Refuted(LOG, f"The stay {fact(order, 'order_id')} still holds.")
    first, last = papers.place(order), papers.place(end)
    steps = papers.entries("transfer.frozen", "transfer.cutover", "transfer.announced")
    taken = [leaf for leaf in steps if first < papers.place(leaf) < last]
    if taken:
        raise Refuted(LOG, f"The step {taken[0].kind} was taken while the sale was stayed.")
    return _claim(
        f"stay.{fact(order, 'order_id')}",
        f"The sale was stayed from {seconds(order.at)} to {seconds(end.at)}; it was not frozen, nor"
        " cut over, nor announced in that time.", LOG,
    )  # fmt: skip


def _ban(papers: Papers, order: Leaf) -> Claim:
    end = _end(papers, order)
    begun = f"The service was banned from {seconds(order.at)} on"
    if end is None:
        return _claim(f"ban.{fact(order, 'order_id')}", f"{begun}, and still is.", LOG)
    when = "after" if papers.place(end) > papers.cutover_place else "before"
    return _claim(
        f"ban.{fact(order, 'order_id')}",
        f"{begun}; the ban was lifted at {seconds(end.at)}, {when} the cutover.", LOG,
    )  # fmt: skip


def _while_frozen(papers: Papers, held: list[Leaf]) -> Iterator[Claim]:
    frozen = papers.entries("transfer.frozen")
    if not frozen:
        raise Refuted(LOG, "The region was never frozen.")
    first = papers.place(frozen[-1])
    done = {fact(leaf, "order_id"): leaf for leaf in papers.entries("regions.order_complied")}
    for order in held:
        if not first < papers.place(order) < papers.cutover_place:
            continue
        name, kind = fact(order, "order_id"), fact(order, "order_kind")
        due, at = str(order.body.get("due_at", "")), str(order.body.get("complied_at", ""))
        if not at and name in done:
            at = fact(done[name], "complied_at")
        if not at or (due and at > due):
            raise Refuted(LOG, f"The order {name} was not carried out in time.")
        by = f", before {seconds(due)} when it was due" if due else ""
        yield _claim(
            f"frozen-order.{name}",
            f"The order {name} ({kind}) arrived while the region was frozen, at"
            f" {seconds(order.at)}, and was carried out at {seconds(at)}{by}.", LOG,
        )  # fmt: skip


def _end(papers: Papers, order: Leaf) -> Leaf | None:
    """Return the entry by which an order ended; a lift is an order of its own, and lies here."""
    ends = papers.entries("regions.order_ended")
    name = fact(order, "order_id")
    end = next((leaf for leaf in ends if fact(leaf, "order_id") == name), None)
    if end is not None and fact(end, "ending") == "lifted":
        by, held = fact(end, "ended_by"), papers.entries("regions.order_in_force")
        lifts = [leaf for leaf in held if fact(leaf, "order_id") == by]
        if not lifts or lifts[0].body.get("order_ids") != [name]:
            raise Refuted(LOG, f"No order lifts the order {name}, which is said to be lifted.")
    return end


def _claim(name: str, sentence: str, *files: str) -> Claim:
    return Claim(name, PART, sentence, list(files))
