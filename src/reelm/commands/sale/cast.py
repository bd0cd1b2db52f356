"""The authorities of the demo, each at a desk with keys of its own."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reelm.commands.sale.stage import Side, Stage
from reelm.foundation.errors import Unavailable
from reelm.proofs.dossier import AuthorityKeys

LAW = "Act of the demo"


@dataclass
class Authority:
    """One authority: it signs orders and decisions at its desk, and hands them in."""

    stage: Stage
    name: str
    powers: Sequence[str]
    key_count: int = 1
    country: str = ""
    id: str = ""
    region: str = ""
    public: list[str] = field(default_factory=list)
    orders: int = 0

    @property
    def desk(self) -> Path:
        """Where its keys lie."""
        return self.stage.folder / "desks" / self.name.lower().replace(" ", "-")

    @property
    def keys(self) -> list[Path]:
        """Its private keys."""
        return [self.desk / f"key-{number}.pem" for number in range(1, self.key_count + 1)]

    def told(self) -> AuthorityKeys:
        """Return its public keys, as the report has them."""
        return AuthorityKeys(self.id, self.name, self.public)

    def register(self, side: Side) -> None:
        """Make its keys, and have a region register it.

        Raises:
            Unavailable: the region did not say under which id.
        """
        self.desk.mkdir(parents=True)
        reelm = self.stage.reelm
        self.public = [reelm(self.name, "order", "keygen", key).strip() for key in self.keys]
        options = [word for power in self.powers for word in ("--power", power)]
        options += [word for key in self.public for word in ("--key", key)]
        options += ["--country", self.country] if self.country else []
        said = reelm(
            side.operator, "authority", "add", self.name, *options,
            "--threshold", self.key_count, "--objections", "Street 1 of the demo", at=side,
        )  # fmt: skip
        found = re.search(r"authority (\d+) here; .* region (\w{32})", said)
        if found is None:
            raise Unavailable(f"`reelm authority add` said: {said}")
        self.id, self.region = found.groups()

    def order(self, side: Side, kind: str, *options: str, about: str = "") -> str:
        """Draft, sign and hand in an order; return its reference."""
        self.orders += 1
        reference = f"{self.desk.name}/{self.orders}"
        lifted = ["--about", about] if about else []
        reelm, at = self.stage.reelm, self.desk / f"order-{self.orders}"
        draft = reelm(
            self.name, "order", "draft", kind, "--region-id", self.region, "--authority", self.id,
            "--reference", reference, "--basis", f"{LAW}, section {self.orders}",
            "--reasons", "So that it is seen in the demo.", *options, *lifted,
        )  # fmt: skip
        _write(at.with_suffix(".json"), draft)
        signed = reelm(self.name, "order", "sign", at.with_suffix(".json"), *_with(self.keys))
        _write(at.with_suffix(".dsse"), signed)
        reelm(side.operator, "order", "submit", at.with_suffix(".dsse"), at=side)
        return reference

    def decide(self, side: Side, scope: Path, decision: str, *options: str) -> None:
        """Say something of a sale, with all keys, each at a desk of its own."""
        self.orders += 1
        reelm, at = self.stage.reelm, self.desk / f"decision-{self.orders}.dsse"
        first, *others = self.keys
        said = reelm(
            self.name, "transfer", "sign", scope, "--key", first, "--decision", decision,
            "--reference", f"{self.desk.name}/{self.orders}", *options,
        )  # fmt: skip
        _write(at, said)
        for key in others:
            _write(at, reelm(self.name, "transfer", "sign", scope, "--key", key, "--add-to", at))
        reelm(side.operator, "transfer", "submit", at, at=side)


def agree(stage: Stage, side: Side, scope: Path) -> None:
    """Have an operator sign a scope, and the seller take it in."""
    key = side.home / "keys" / "operator-ed25519.pem"
    at = stage.folder / f"{side.name}-agrees.dsse"
    _write(at, stage.reelm(side.operator, "transfer", "sign", scope, "--key", key))
    stage.reelm(stage.seller.operator, "transfer", "submit", at, at=stage.seller)


def propose(stage: Stage, *options: str) -> Path:
    """Propose a sale to the buyer; return the scope's file."""
    said = stage.reelm(
        stage.seller.operator, "transfer", "propose", "--buyer", stage.folder / "buyer.json",
        "--out", stage.folder / "scopes", "--export-controlled", "model", "--origin", "BV",
        *options, "--json", at=stage.seller,
    )  # fmt: skip
    return Path(json.loads(said)["scope"])


def _with(keys: Sequence[Path]) -> list[str]:
    return [word for key in keys for word in ("--key", str(key))]


def _write(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
