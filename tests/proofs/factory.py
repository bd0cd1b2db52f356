"""A log made in memory, with its exports as they should be and as somebody else would like them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reelm.proofs.exported import checkpoint_line, end_line, header_line
from reelm.proofs.keys import endorse, origin_of
from reelm.proofs.leaf import commitment, leaf_bytes, sealed
from reelm.proofs.merkle import Frontier, leaf_hash
from reelm.proofs.note import Checkpoint, Note, cosign, public_bytes, sign
from reelm.proofs.verify import Expected, verify_export

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def key(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


OPERATOR, NEXT, STRANGER, WITNESS = key(1), key(2), key(3), key(4)


@dataclass
class Log:
    """Entries with the sizes that are signed."""

    signer: Ed25519PrivateKey = field(default_factory=lambda: OPERATOR)
    leaves: list[bytes] = field(default_factory=list)
    signed: list[tuple[int, str]] = field(default_factory=list)
    first: Ed25519PrivateKey = field(default_factory=lambda: OPERATOR)

    @property
    def origin(self) -> str:
        return origin_of(public_bytes(self.first))

    def add(self, kind: str = "accounts.reset", **body: object) -> int:
        number = 1000 + len(self.leaves)
        given = body or {"account_id": str(number)}
        at = BEGAN + timedelta(seconds=len(self.leaves))
        self.leaves.append(leaf_bytes(number, kind, at, dict(given)))
        return number

    def sign(self, size: int | None = None, by: Ed25519PrivateKey | None = None) -> str:
        size = len(self.leaves) if size is None else size
        tree = Frontier()
        tree.extend(map(leaf_hash, self.leaves[:size]))
        text = Checkpoint(self.origin, size, tree.root()).text
        note = str(Note(text, (sign(text, self.origin, by or self.signer),)))
        self.signed.append((size, note))
        return note

    def cosign(self, witness: Ed25519PrivateKey = WITNESS, name: str = "witness.example") -> None:
        size, note = self.signed[-1]
        line = cosign(Note.parse(note).text, name, witness, 1_800_000_000).line
        self.signed[-1] = size, f"{note}{line}\n"

    def change_key(self, new: Ed25519PrivateKey, by: Ed25519PrivateKey | None = None) -> int:
        old = public_bytes(self.signer)
        endorsement = endorse(by or self.signer, self.origin, public_bytes(new), 2)
        number = self.add(
            "audit.key_changed",
            old_key=old.hex(),
            new_key=public_bytes(new).hex(),
            epoch=2,
            endorsement=endorsement.hex(),
        )
        self.signer = new
        return number

    def commit(self, salt: bytes, body: dict[str, str]) -> int:
        opened = sealed("accounts.reset", body)
        return self.add("confidential", commitment=commitment(salt, opened))

    def open(self, entry_id: int, salt: bytes, body: dict[str, str]) -> int:
        opened = sealed("accounts.reset", body).decode()
        return self.add("audit.opened", entry_id=str(entry_id), salt=salt.hex(), opened=opened)

    def lines(self, *, hashes: bool = True) -> list[bytes]:
        lines, at = [header_line(self.origin, public_bytes(self.first).hex(), len(self.leaves))], 0
        for size, note in self.signed:
            part = self.leaves[at:size]
            lines += [leaf + b"\n" for leaf in part]
            lines.append(checkpoint_line(note, [leaf_hash(leaf) for leaf in part] * hashes))
            at = size
        return [*lines, *[leaf + b"\n" for leaf in self.leaves[at:]], end_line(len(self.leaves))]


def a_log(entries: int = 12, every: int = 4) -> Log:
    log = Log()
    for number in range(1, entries + 1):
        log.add()
        if number % every == 0:
            log.sign()
    return log


def faults(lines: list[bytes], **expected: object) -> list[str]:
    report = verify_export(lines, Expected(**expected))  # type: ignore[arg-type]
    return [fault.name for fault in report.faults]
