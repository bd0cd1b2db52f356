"""What a wind-down works on: the seller's region home, its sale, and where copies may lie."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from reelm.foundation.config import Settings
from reelm.foundation.errors import Conflict, Invalid
from reelm.foundation.home import Home
from reelm.foundation.storage import ObjectStore
from reelm.foundation.strict_json import canonical
from reelm.proofs.handover import Cutover, cutover_digest, read_cutover
from reelm.proofs.sale import Scope, digest_of, read_scope
from reelm.transfer.departed import leave_documents
from reelm.transfer.move.exchange import Exchange, read

Say = Callable[[str], None]
_NAME_IT = "Name the folder of the sale with --exchange."


@dataclass(frozen=True)
class Sale:
    """The documents of a sale whose cutover both operators have signed."""

    scope: Scope
    cutover: Cutover
    cutover_digest: str


@dataclass(frozen=True)
class Site:
    """The seller's side after the cutover.

    Args:
        home: the region home.
        settings: its settings.
        store: its object store.
        connect: yields how the database's owner connects, with the database running.
        exchange: the folder that both operators reach.
        sale: what was sold.
        backups: folders of backups, beside those that the home knows of.
        say: is told each step in a sentence.
    """

    home: Home
    settings: Settings
    store: ObjectStore
    connect: Callable[[], AbstractContextManager[str]]
    exchange: Path
    sale: Sale
    backups: Sequence[Path] = ()
    say: Say = field(default=lambda _: None)

    @property
    def bundle(self) -> Path:
        """Folder of the bundle, which is the buyer's copy on its way."""
        return Exchange(self.exchange).bundle

    @property
    def is_embedded(self) -> bool:
        """Whether the database is a folder of the home."""
        return not self.settings.database.url


def read_sale(exchange: Path) -> Sale:
    """Read scope and cutover from the exchange folder.

    Raises:
        Missing: one of them is not there.
        Invalid: they do not belong together, or a signature is wrong.
        Conflict: the buyer has not signed the cutover: it has not taken over.
    """
    folder = Exchange(exchange)
    scope = read_scope(read(folder.scope, _NAME_IT))
    text = read(folder.cutover, "`reelm transfer cutover` writes it, and comes before.")
    cutover, signed_by = read_cutover(text, scope, digest_of(canonical(scope)))
    if "buyer" not in signed_by:
        raise Conflict(
            "The buyer has not signed the cutover, so it has not taken over: let it run"
            " `reelm transfer cutover` first. Nothing was destroyed."
        )
    return Sale(scope, cutover, cutover_digest(text))


def check_seller(home: Home, sale: Sale) -> None:
    """Refuse a home that is not the seller's.

    Raises:
        Invalid: its operator key is another.
    """
    own = home.operator_public_key()
    if own == sale.scope.buyer.public_key:
        raise Invalid("This is the buyer's region, which is in charge: only the seller winds down.")
    if own != sale.scope.seller.public_key:
        raise Invalid("This region's operator key is not that of the seller in scope.json.")


def leave_notice(site: Site) -> None:
    """Leave in the home what the old address goes on to tell, without database and keys.

    Raises:
        Invalid: the documents in the exchange folder are not this sale's any more.
    """
    folder = Exchange(site.exchange)
    leave_documents(site.home, read(folder.scope, _NAME_IT), read(folder.cutover, _NAME_IT))
