"""The folder that both operators can reach, or a disk that is carried: what lies where in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from reelm.foundation.durable import write_whole
from reelm.foundation.envelope import read_envelope, signers
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.foundation.strict_json import canonical
from reelm.proofs import handover, sale
from reelm.proofs.handover import Cutover
from reelm.proofs.sale import Scope
from reelm.transfer.current import KnownTransfer, statements

MOST_DOCUMENT_BYTES = 16 << 20
_MOST_STATEMENTS = 1000


@dataclass(frozen=True)
class Exchange:
    """What lies where in the folder of a sale."""

    folder: Path

    @property
    def scope(self) -> Path:
        """The scope's JSON."""
        return self.folder / "scope.json"

    @property
    def statements(self) -> Path:
        """Folder of what was signed about the scope."""
        return self.folder / "statements"

    @property
    def bundle(self) -> Path:
        """Folder of the bundle."""
        return self.folder / "bundle"

    @property
    def receipt(self) -> Path:
        """What the buyer found."""
        return self.folder / "receipt.dsse"

    @property
    def cutover(self) -> Path:
        """The cutover: signed by the seller, then by both."""
        return self.folder / "cutover.dsse"

    def write_sale(self, session: Session, transfer: KnownTransfer) -> None:
        """Write the scope of a sale, and everything that was signed about it."""
        self.statements.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(self.scope, canonical(transfer.scope) + b"\n")
        for row in statements(session, transfer.id):
            write(self.statements / statement_name(row.kind, row.id), row.envelope.encode())

    def read_scope(self, buyer_key: str) -> tuple[Scope, str]:
        """Return the scope with its digest, if the holder of this key has signed it as its buyer.

        Raises:
            Missing: there is none.
            Invalid: it is none, or the buyer and the seller have not both signed this very one.
        """
        scope = sale.read_scope(read(self.scope, "The seller writes it by `reelm transfer seal`."))
        digest = sale.digest_of(canonical(scope))
        if scope.buyer.public_key != buyer_key:
            raise Invalid(f"The scope in {self.folder} names another buyer than this region home.")
        for side, key in (("buyer", buyer_key), ("seller", scope.seller.public_key)):
            if not any(_is_signed(path, digest, key) for path in self._said()):
                raise Invalid(f"The {side} has not signed the scope {digest} in {self.folder}.")
        return scope, digest

    def handed_over(self, scope: Scope, digest: str) -> tuple[bytes, Cutover] | None:
        """Return the cutover of this sale with its text, if the seller has signed one.

        Raises:
            Invalid: what lies there is none of this sale.
        """
        if not self.cutover.exists():
            return None
        text = read(self.cutover, "")
        return text, handover.read_cutover(text, scope, digest)[0]

    def refuse_if_handed_over(self, transfer: KnownTransfer) -> None:
        """Refuse to go on with a sale whose cutover this side has signed: its database is old.

        Raises:
            Conflict: it has.
        """
        if self.handed_over(transfer.scope, transfer.scope_digest) is not None:
            raise Conflict(
                f"This side has handed the region over, as {self.cutover} says, and its database"
                " is from before: `reelm transfer cutover` ends this side's tenure here too."
            )

    def check_statements(self, taken: Mapping[str, bytes]) -> None:
        """Refuse files of statements that are not those which the bundle's own table has.

        Args:
            taken: the envelopes that were imported, by the name of their file.

        Raises:
            Invalid: one is lacking, was added or was changed; names it.
        """
        # What begins with a dot was cut off while it was written, and is read by nobody.
        there = {one.name for one in self.statements.iterdir() if not one.name.startswith(".")}
        for name in sorted(there | taken.keys()):
            path = self.statements / name
            if name not in taken or not path.is_file() or read(path, "") != taken[name]:
                raise Invalid(
                    f"The file statements/{name[:120]} in {self.folder} is not what table"
                    " transfer_statement of the bundle has: it was lost, added or changed."
                )

    def _said(self) -> list[Path]:
        return sorted(self.statements.glob("sale-*.dsse"))[:_MOST_STATEMENTS]


def statement_name(kind: str, number: int) -> str:
    """Return the name of the file of a statement."""
    return f"{kind}-{number}.dsse"


def read(path: Path, who: str) -> bytes:
    """Return a document of the exchange folder.

    Raises:
        Missing: it is not there; says who writes it.
        Invalid: it is too large for a document.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_DOCUMENT_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise Missing(f"{path} is not there yet. {who}") from None
    if len(data) > MOST_DOCUMENT_BYTES:
        raise Invalid(f"{path} is too large for a document of a sale.")
    return data


def write(path: Path, data: bytes) -> None:
    """Write a document of the exchange folder, whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, data)


def _is_signed(path: Path, digest: str, key: str) -> bool:
    try:
        envelope = read_envelope(read(path, ""), sale.SALE_TYPE)
        about = sale.read_sale(envelope.payload).scope_digest
    except Invalid as error:
        raise Invalid(f"The file {path} is no signature of a sale: {error.sentence}") from None
    return about == digest and bool(signers(envelope, [key], 0))
