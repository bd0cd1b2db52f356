"""Whatever is done to the exchange folder is refused, named, and leaves nothing behind."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.regions.factory import make_body
from tests.transfer.move.conftest import moving
from tests.transfer.move.factory import Moving

from reelm.foundation.database import Base
from reelm.foundation.errors import Conflict, Invalid, Missing
from reelm.transfer import move
from reelm.transfer.bundle.tables import moved_tables
from reelm.transfer.move import Exchange

__all__ = ["moving"]
FEW = settings(
    suppress_health_check=list(HealthCheck), deadline=None, max_examples=5, database=None,
    derandomize=True,
)  # fmt: skip
# What nobody reads, so that its change can do nothing: the answer of the buyer itself, which it
# writes anew, and the cutover, which is not there before the bundle was verified.
UNREAD = {"receipt.dsse", "cutover.dsse"}


@pytest.fixture
def sent(moving: Moving, tmp_path: Path) -> Moving:
    """A sealed exchange, a copy of it, and one that was sealed before something came."""
    moving.sealed()
    shutil.copytree(moving.exchange.folder, tmp_path / "older")
    moving.act(lambda sale: make_body(sale.session))
    move.seal_region(moving.seller, moving.exchange)
    shutil.copytree(moving.exchange.folder, tmp_path / "good")
    return moving


def files(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def flip(folder: Path, older: Path, one: Path, other: Path, at: int) -> None:
    data = bytearray((folder / one).read_bytes())
    data[at % len(data)] ^= 1 + at % 255
    (folder / one).write_bytes(data)


def truncate(folder: Path, older: Path, one: Path, other: Path, at: int) -> None:
    data = (folder / one).read_bytes()
    (folder / one).write_bytes(data[: at % len(data)])


def swap(folder: Path, older: Path, one: Path, other: Path, at: int) -> None:
    good = (folder / one).read_bytes()
    (folder / one).write_bytes((folder / other).read_bytes())
    (folder / other).write_bytes(good)


def delete(folder: Path, older: Path, one: Path, other: Path, at: int) -> None:
    (folder / one).unlink()


def add(folder: Path, older: Path, one: Path, other: Path, at: int) -> None:
    copy = (folder / one).with_name(f"x{one.name}")
    shutil.copyfile(folder / other, copy)


def replay(folder: Path, older: Path, one: Path, other: Path, at: int) -> None:
    shutil.copyfile(older / one, folder / one)


Way = Callable[[Path, Path, Path, Path, int], None]
WAYS: tuple[Way, ...] = (flip, truncate, swap, delete, add, replay)


def rows_at(moving: Moving) -> int:
    """Count the rows of every table that goes along, at the buyer's."""
    with psycopg.connect(moving.buyer.database.conninfo) as connection:
        return sum(
            row[0]
            for table in moved_tables(Base.metadata)
            if (row := connection.execute(f"SELECT count(*) FROM {table.name}").fetchone())
        )


def test_every_tampering_is_refused_named_and_leaves_nothing(sent: Moving, tmp_path: Path) -> None:
    good, older, folder = tmp_path / "good", tmp_path / "older", sent.exchange.folder
    names = files(good)
    assert not UNREAD & {str(name) for name in names}
    assert len(names) > 40
    before = rows_at(sent)

    def tamper(way: Way, one: Path, other: Path, at: int) -> bool:
        restore(folder, good)
        # An object that the buyer has by its digest is not read again, whatever its file holds.
        shutil.rmtree(sent.buyer.home.objects)
        sent.buyer.home.objects.mkdir()
        way(folder, older, one, other, at)
        if same(folder, good):
            return False  # a file was swapped with itself, or sealed again as it was
        with pytest.raises((Invalid, Missing)) as refused:
            move.receive(sent.buyer, sent.exchange)
        assert is_named(refused.value.sentence, one) or is_named(refused.value.sentence, other)
        assert rows_at(sent) == before
        return True

    for way in WAYS:
        assert tried(partial(tamper, way), names) > 0
    restore(folder, good)
    assert move.receive(sent.buyer, sent.exchange).receipt.outcome == "equal"


def tried(tamper: Callable[[Path, Path, int], bool], names: list[Path]) -> int:
    """Tamper with files by chance; return how often something was changed."""
    changed = 0

    @FEW
    @given(st.sampled_from(names), st.sampled_from(names), st.integers(0, 10**9))
    def once(one: Path, other: Path, at: int) -> None:
        nonlocal changed
        changed += tamper(one, other, at)

    once()
    return changed


def same(folder: Path, good: Path) -> bool:
    mine, theirs = files(folder), files(good)
    return mine == theirs and all(
        (folder / name).read_bytes() == (good / name).read_bytes() for name in mine
    )


def restore(folder: Path, good: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(good, folder)


def is_named(sentence: str, path: Path) -> bool:
    """Whether a file is named, or what it holds: a table by its folder, or who signed it."""
    return any(word in sentence for word in (path.name, path.stem, path.parent.name)) or (
        path.parent.name == "statements" and "has not signed" in sentence
    )


def test_no_byte_of_scope_and_statements_may_change(sent: Moving, tmp_path: Path) -> None:
    folder = sent.exchange.folder
    shutil.rmtree(folder / "bundle")
    text = (folder / "scope.json").read_bytes()
    key = sent.buyer.home.operator_public_key()
    for at in range(0, len(text), 97):
        changed = bytearray(text)
        changed[at] ^= 1 + at % 255
        (folder / "scope.json").write_bytes(changed)
        with pytest.raises(Invalid):
            sent.exchange.read_scope(key)
    (folder / "scope.json").write_bytes(text)
    taken = {path.name: path.read_bytes() for path in (folder / "statements").iterdir()}
    sent.exchange.check_statements(taken)
    for name, good in taken.items():
        for at in range(0, len(good), 31):
            changed = bytearray(good)
            changed[at] ^= 1 + at % 255
            with pytest.raises(Invalid, match=name):
                sent.exchange.check_statements({**taken, name: bytes(changed)})


def test_an_older_bundle_whole_is_no_cutover(sent: Moving, tmp_path: Path) -> None:
    move.receive(sent.buyer, sent.exchange)
    replayed = Exchange(tmp_path / "older")
    # It is what the seller has signed, of this sale: the buyer cannot know that it is older.
    assert move.receive(sent.buyer, replayed).receipt.outcome == "equal"
    with pytest.raises(Conflict, match="another bundle than was sealed last"):
        move.cut_over(sent.seller, replayed)
    move.receive(sent.buyer, sent.exchange)
    move.cut_over(sent.seller, sent.exchange)
    move.countersign(sent.buyer, sent.exchange)
    with pytest.raises(Conflict, match="in charge of the region already"):
        move.receive(sent.buyer, replayed)
