"""A seller after the cutover: a real region with its embedded database, whose tenure has ended."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.accounts.factory import signed_up
from tests.commands.factory import Ran, reelm
from tests.transfer.factory import public
from tests.transfer.vectors import BUYER, scope

from reelm import app
from reelm.foundation.config import load
from reelm.foundation.envelope import add_signatures
from reelm.foundation.home import Home
from reelm.foundation.strict_json import canonical
from reelm.proofs import certificate as form
from reelm.proofs import handover, sale
from reelm.proofs.journal import Line, read_journal
from reelm.proofs.keys import endorse, origin, origin_of
from reelm.proofs.note import public_bytes
from reelm.transfer import wind_down as room
from reelm.videos.objects import POSTERS

NAME = "Test"
SECRET = "plain text of a person"
DECLARED = """
[[copy]]
name = "staff-devices"
place = "three laptops"
holder = "Test Operator"
holds = "browsers that were signed in to the console"
outcome = "destroyed"
method = "wiped by the seller's administrator"
attested_by = "Head of operations"
"""


@dataclass(frozen=True)
class Seller:
    """The seller's home, the folder of the sale, and one backup."""

    home: Path
    exchange: Path
    backup: Path

    @property
    def declared(self) -> Path:
        return self.exchange / "copies.toml"

    @property
    def operator_key(self) -> Ed25519PrivateKey:
        return Home(self.home).operator_key()

    @property
    def scope(self) -> sale.Scope:
        return sale.read_scope((self.exchange / "scope.json").read_bytes())

    @property
    def cutover(self) -> bytes:
        return (self.exchange / "cutover.dsse").read_bytes()


def scope_of(key: Ed25519PrivateKey, **changed: Any) -> sale.Scope:
    """Return the scope of the vectors, sold by the holder of a key."""
    seller = sale.Seller(operator="Test Operator", public_key=public(key), epoch=1)
    region = origin_of(public_bytes(key)).rpartition("/")[2]
    return msgspec.structs.replace(scope(), region=region, seller=seller, **changed)


def cutover_of(
    scope: sale.Scope, seller: Ed25519PrivateKey, buyer: Ed25519PrivateKey | None, **changed: Any
) -> bytes:
    """Return a cutover of a scope, signed by the seller and perhaps the buyer."""
    told = {
        "form": handover.CUTOVER_FORM,
        "region": scope.region,
        "transfer_id": "5",
        "scope_digest": sale.digest_of(canonical(scope)),
        "closing_digest": "33" * 32,
        "receipt_digest": "44" * 32,
        "from_epoch": 1,
        "to_epoch": 2,
        "seller_key": scope.seller.public_key,
        "buyer_key": scope.buyer.public_key,
        "operator": scope.buyer.operator,
        "address": "https://buyer.example",
        "log": handover.LogSize(5, "55" * 32),
        "endorsement": endorse(
            seller, origin(scope.region), bytes.fromhex(scope.buyer.public_key), 2
        ).hex(),
        "ended_at": "2026-11-23T11:00:00Z",
        **changed,
    }
    text = handover.sign_cutover(handover.Cutover(**told), seller)
    return text if buyer is None else add_signatures(text, handover.CUTOVER_TYPE, [buyer])


def make_seller(folder: Path) -> Seller:
    """Make a region with a person and objects, back it up, and end its tenure."""
    made = Seller(folder / "region", folder / "sale", folder / "saved")
    app.make_region(
        made.home, jurisdiction="neutral", operator="Test Operator", name=NAME, number=7
    )
    with app.open_region(made.home) as parts:
        with parts.transaction() as session:
            signed_up(session, parts, handle="asha")
        parts.store.put_bytes(POSTERS, SECRET.encode())
    end_tenure(made.home)
    made.exchange.mkdir()
    key = made.operator_key
    known = scope_of(key)
    (made.exchange / "scope.json").write_bytes(canonical(known) + b"\n")
    (made.exchange / "cutover.dsse").write_bytes(cutover_of(known, key, BUYER))
    (made.exchange / "bundle").mkdir()
    (made.exchange / "bundle" / "bundle.json").write_text("{}")
    made.declared.write_text(DECLARED)
    return made


def end_tenure(home: Path) -> None:
    """Do at the seller what a cutover does."""
    with (
        app.owner_connection(Home(home), load(home), None) as owner,
        psycopg.connect(owner, autocommit=True) as connection,
    ):
        connection.execute("UPDATE tenure SET ended_at = now()")
        connection.execute("ALTER ROLE reelm_app_1 NOLOGIN")


def copy_of(seller: Seller, folder: Path) -> Seller:
    """Return a copy of the seller, whose files belong to whom they belonged."""
    folder.mkdir()
    for name in ("region", "sale"):
        subprocess.run(["cp", "-a", str(seller.home.parent / name), str(folder / name)], check=True)
    return Seller(folder / "region", folder / "sale", folder / "saved")


def options(seller: Seller) -> tuple[object, ...]:
    """Return the arguments of a wind-down, as the seller's operator types them."""
    return (
        "transfer", "wind-down", "--region", seller.home, "--exchange", seller.exchange,
        "--declared", seller.declared, "--yes",
    )  # fmt: skip


def down(seller: Seller, *more: object) -> Ran:
    """Wind a seller down, as its operator does."""
    return reelm(*options(seller), *more)


def certificate_of(seller: Seller) -> form.Certificate:
    made = reelm("transfer", "certificate", "--region", seller.home, "--exchange", seller.exchange)
    assert made.status == 0, made.err
    return form.opened((seller.exchange / room.CERTIFICATE).read_bytes())[0]


def lines_of(seller: Seller) -> list[Line]:
    return read_journal((seller.home / "winding-down/journal.jsonl").read_bytes())


def everything(*folders: Path) -> bytes:
    return b"".join(
        path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()
    )
