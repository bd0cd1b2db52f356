"""The object store: one contract, kept by the folder and by an S3 server."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.s3 import s3_settings, serving_s3

from reelm.foundation.config import StorageSettings
from reelm.foundation.errors import Missing, Unavailable
from reelm.foundation.home import Home
from reelm.foundation.storage import ObjectStore, open_store


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with serving_s3() as address:
        yield address


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, home: Home) -> ObjectStore:
    if request.param == "folder":
        return open_store(StorageSettings(), home)
    return open_store(s3_settings(request.getfixturevalue("s3")), home)


def test_an_object_is_named_by_its_bytes(store: ObjectStore, tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(data)
    stored = store.put_file("renditions", tmp_path / "file")
    assert stored.sha256 == hashlib.sha256(data).hexdigest()
    assert stored.size_bytes == store.size_bytes(stored.key) == len(data)
    assert store.put_bytes("renditions", data).key == stored.key
    assert store.get(stored.key) == data
    assert b"".join(store.chunks(stored.key)) == data
    store.fetch(stored.key, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == data


@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=25, database=None)
@given(data=st.binary(min_size=1, max_size=300), cut=st.data())
def test_ranges_are_slices(store: ObjectStore, data: bytes, cut: st.DataObject) -> None:
    key = store.put_bytes("posters", data).key
    start = cut.draw(st.integers(0, len(data) - 1))
    length = cut.draw(st.integers(1, len(data) - start))
    assert store.get_range(key, start, length) == data[start : start + length]


def test_a_listing_has_each_object_of_its_kind_once(store: ObjectStore) -> None:
    keys = {store.put_bytes("avatars", bytes([n])).key for n in range(20)}
    store.put_bytes("posters", b"x")
    listed = list(store.list("avatars"))
    assert {one.key for one in listed} == keys
    assert len(listed) == 20
    assert all(one.modified_at is not None and one.size_bytes == 1 for one in listed)


def test_what_is_removed_is_gone_and_may_be_removed_again(
    store: ObjectStore, tmp_path: Path
) -> None:
    key = store.put_bytes("posters", b"gone").key
    store.delete(key)
    store.delete(key)
    for read in (
        lambda: store.get(key),
        lambda: store.get_range(key, 0, 1),
        lambda: store.size_bytes(key),
        lambda: list(store.chunks(key)),
        lambda: store.fetch(key, tmp_path / "x"),
    ):
        with pytest.raises(Missing):
            read()


def test_a_kind_that_nobody_declared_is_refused_with_what_to_do(
    store: ObjectStore, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(Unavailable, match=r"object prefix 'surprise': call `declare\(Place.OBJ"):
        store.put_bytes("surprise", b"x")
    with pytest.raises(Unavailable, match="surprise"):
        store.put_file("surprise", tmp_path / "file")
    assert "surprise" not in store.kinds()


def test_the_kinds_are_those_that_are_there(store: ObjectStore) -> None:
    keys = [store.put_bytes(kind, b"a kind") for kind in ("posters", "avatars")]
    assert {"posters", "avatars"} <= store.kinds()
    for stored in keys:
        store.delete(stored.key)


def test_the_check_leaves_nothing(store: ObjectStore) -> None:
    store.check()
    assert list(store.list("check")) == []


def test_a_store_that_is_away_says_so(home: Home) -> None:
    store = open_store(s3_settings("http://127.0.0.1:1/bucket"), home)
    with pytest.raises(Unavailable):
        store.put_bytes("posters", b"x")
