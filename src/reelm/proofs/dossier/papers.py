"""All documents of a folder of proofs, read and with their signatures checked."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from reelm.foundation.envelope import key_id, read_envelope
from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical, decoded
from reelm.proofs import certificate as certificate_form
from reelm.proofs import closing as closing_form
from reelm.proofs import handover
from reelm.proofs.certificate import Certificate
from reelm.proofs.closing import Closing
from reelm.proofs.dossier.files import LOG, PAGE, Refuted, names_in, read
from reelm.proofs.dossier.observed import FILE as OBSERVED
from reelm.proofs.dossier.observed import Observed, read_observed
from reelm.proofs.exported import read_other
from reelm.proofs.handover import Cutover, Receipt
from reelm.proofs.keys import origin
from reelm.proofs.leaf import Leaf, read_leaf
from reelm.proofs.note import Note
from reelm.proofs.report import Report
from reelm.proofs.sale import Digest, Id, Key, Name, Scope, digest_of, read_scope
from reelm.proofs.verify import Expected, verify_export

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope

SCOPE, FIRST_SCOPE, KEYS = "scope.json", "first/scope.json", "keys.json"
RECEIPT, CLOSING, CUTOVER = "receipt.dsse", "closing.dsse", "cutover.dsse"
CERTIFICATE, JOURNAL = "certificate.dsse", "journal.jsonl"
STATEMENTS, FIRST_STATEMENTS, ORDERS, ROOM = "statements", "first/statements", "orders", "room"
ORDER_TYPE = "application/vnd.reelm.order+json"
FILES = frozenset({
    SCOPE, FIRST_SCOPE, KEYS, RECEIPT, CLOSING, CUTOVER, LOG, CERTIFICATE, JOURNAL, OBSERVED,
})  # fmt: skip
# A name of a file in one of the folders: nothing that a browser would take for something else.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}\.(dsse|json)")
T = TypeVar("T")


class AuthorityKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Public keys of an authority; their keyids are in scope and log."""

    id: Id
    name: Name
    keys: Annotated[list[Key], Meta(min_length=1, max_length=32)]


class KeyList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who signs beside the two operators, whose keys the scope has."""

    authorities: list[AuthorityKeys]

    def of(self, authority_id: str) -> list[str]:
        """Return the keys of an authority."""
        return [key for one in self.authorities if one.id == authority_id for key in one.keys]


class Signatory(msgspec.Struct, frozen=True):
    """Somebody whose signatures count, and the file that names the key."""

    file: str
    who: str
    key: str


@dataclass(frozen=True)
class Papers:
    """The documents; `first` is a scope that was given up before, if there was one."""

    folder: Path
    names: Sequence[str]
    scope: Scope
    scope_digest: str
    first: tuple[Scope, str] | None
    keys: KeyList
    receipt: Receipt
    receipt_digest: str
    closing: Closing
    closing_digest: str
    cutover: Cutover
    cutover_text: bytes
    log: Sequence[Leaf]
    report: Report
    certificate: Certificate
    certificate_text: bytes
    observed: Sequence[Observed]

    @property
    def cutover_at(self) -> datetime:
        """When the seller's tenure ended.

        Raises:
            Refuted: that is no time, such as the 30th of February.
        """
        try:
            return datetime.fromisoformat(self.cutover.ended_at)
        except ValueError:
            raise Refuted(CUTOVER, f"{self.cutover.ended_at} is no time.") from None

    def under(self, folder: str) -> list[str]:
        """Return the files of one of the folders, in their order."""
        return [name for name in self.names if name.rpartition("/")[0] == folder]

    def envelopes(self, folder: str, *types: str) -> Iterator[tuple[str, "Envelope"]]:
        """Yield the envelopes of one of the folders, in the order in which they came in."""
        for name in self.under(folder):
            yield name, named(name, read_envelope, read(self.folder, name), *types)

    def entries(self, *kinds: str) -> list[Leaf]:
        """Return the entries of the log of these kinds, in its order."""
        found = [leaf for kind in kinds for leaf in self._by_kind.get(kind, ())]
        return sorted(found, key=self.place)

    def place(self, leaf: Leaf) -> int:
        """Return which entry of the log this is."""
        return self._places[leaf.id]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {leaf.id: place for place, leaf in enumerate(self.log)}

    @cached_property
    def _by_kind(self) -> dict[str, list[Leaf]]:
        found: dict[str, list[Leaf]] = {}
        for leaf in self.log:
            found.setdefault(leaf.kind, []).append(leaf)
        return found

    @cached_property
    def cutover_place(self) -> int:
        """Return which entry of the log the cutover is; the log's length where it has none."""
        found = self.entries("transfer.cutover")
        return self.place(found[0]) if found else len(self.log)

    def signatories(self) -> list[Signatory]:
        """Return whose keys the report rests on."""
        scope = self.scope
        found = [
            Signatory(SCOPE, scope.seller.operator, scope.seller.public_key),
            Signatory(SCOPE, scope.buyer.operator, scope.buyer.public_key),
        ]
        return found + [
            Signatory(KEYS, one.name, key) for one in self.keys.authorities for key in one.keys
        ]


def read_papers(folder: Path) -> Papers:
    """Read a folder; what is in it says by itself by whom it is signed.

    Raises:
        Refuted: a document is not there, is not in its form, or lacks a signature.
    """
    text = read(folder, SCOPE)
    scope = named(SCOPE, read_scope, text)
    digest = named(SCOPE, _digest, scope)
    receipt, receipt_digest = named(RECEIPT, handover.read_receipt, read(folder, RECEIPT), scope)
    closed = read(folder, CLOSING)
    closing = named(CLOSING, closing_form.read_closing, closed, scope.seller.public_key)
    both = read(folder, CUTOVER)
    cutover, sides = named(CUTOVER, handover.read_cutover, both, scope, digest)
    if "buyer" not in sides:
        raise Refuted(CUTOVER, "The buyer has not signed it: it has not taken over.")
    stated = read(folder, CERTIFICATE)
    log, report = _read_log(folder, scope, closing)
    return Papers(
        folder=folder,
        names=_known_names(folder),
        scope=scope,
        scope_digest=digest,
        first=_first(folder),
        keys=named(KEYS, decoded, read(folder, KEYS), KeyList, "It is no list of keys"),
        receipt=receipt,
        receipt_digest=receipt_digest,
        closing=closing,
        closing_digest=closing_form.closed_digest(closed),
        cutover=cutover,
        cutover_text=both,
        log=log,
        report=report,
        certificate=named(CERTIFICATE, certificate_form.opened, stated)[0],
        certificate_text=stated,
        observed=named(OBSERVED, read_observed, read(folder, OBSERVED)),
    )


def _known_names(folder: Path) -> list[str]:
    """Return the files of a folder beside page and list; one that is of no report is refused."""
    names = [name for name in names_in(folder) if name != PAGE]
    for name in names:
        inside, _, last = name.rpartition("/")
        is_known = inside in {STATEMENTS, FIRST_STATEMENTS, ORDERS, ROOM} and _NAME.fullmatch(last)
        if name not in FILES and not is_known:
            raise Refuted(name, "It is no file of such a report.")
    return names


def _first(folder: Path) -> tuple[Scope, Digest] | None:
    if not (folder / FIRST_SCOPE).exists():
        return None
    scope = named(FIRST_SCOPE, read_scope, read(folder, FIRST_SCOPE))
    return scope, named(FIRST_SCOPE, _digest, scope)


def _digest(scope: Scope) -> str:
    return digest_of(canonical(scope))


def _read_log(folder: Path, scope: Scope, closing: Closing) -> tuple[list[Leaf], Report]:
    lines = read(folder, LOG).splitlines(keepends=True)
    at_close = named(CLOSING, Note.parse, closing.log.checkpoint)
    expected = Expected(origin=origin(scope.region), previous=[at_close])
    report = named(LOG, verify_export, lines, expected)
    if report.first is not None:
        raise Refuted(LOG, report.first.sentence)
    if report.key != scope.buyer.public_key:
        raise Refuted(LOG, "The log is not signed by the buyer's key in the end.")
    leaves = [read_leaf(line.rstrip(b"\n")) for line in lines[1:] if read_other(line) is None]
    return leaves, report


def keys_by_id(keys: Sequence[str]) -> dict[str, str]:
    """Return public keys by their keyids."""
    return {key_id(key): key for key in keys}


def payload_digest(envelope: "Envelope") -> str:
    """Return the digest by which log entries name a signed document."""
    return hashlib.sha256(envelope.payload).hexdigest()


def named(file: str, do: Callable[..., T], *given: Any) -> T:
    """Return what `do` makes of its arguments; an error of it is about this file.

    Raises:
        Refuted: it refuses them.
    """
    try:
        return do(*given)
    except Refuted:
        raise
    except Invalid as error:
        raise Refuted(file, error.sentence) from None
    # Values that are well formed, and that no such document has.
    except (ValueError, OverflowError, RecursionError) as error:
        raise Refuted(file, f"It cannot be read: {type(error).__name__}.") from None


def fact(leaf: Leaf, name: str) -> str:
    """Return a field of an entry as text.

    Raises:
        Refuted: the entry lacks it.
    """
    if name not in leaf.body:
        raise Refuted(LOG, f"Its entry {leaf.id} ({leaf.kind}) lacks {name}.")
    return str(leaf.body[name])
