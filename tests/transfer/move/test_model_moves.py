"""The model where it goes along: in the bundle, in the import, and in the first feed."""

import hashlib

import msgspec
import numpy as np
import psycopg
import pyrage
import pytest
from starlette.testclient import TestClient
from tests.transfer.model_factory import learned, make_people, serving, told
from tests.transfer.move.conftest import selling

from reelm.feed.log import snapshots
from reelm.feed.ranker import Ranker
from reelm.foundation.errors import Invalid
from reelm.proofs import handover
from reelm.proofs.closing import sign_closing
from reelm.transfer import move
from reelm.transfer.bundle.contents import (
    MODEL,
    read_contents,
    read_label,
    write_contents,
)
from reelm.transfer.bundle.files import write_encrypted
from reelm.transfer.current import newest_transfer
from reelm.transfer.move.receive import identity_of
from reelm.transfer.move.seal_region import last_sealed
from reelm.web.application import build

pytestmark = pytest.mark.usefixtures("small_ranker")


@pytest.fixture
def people(parts):
    return make_people(parts)


@pytest.fixture
def model(parts, people):
    """The digest of what the seller's model has learned."""
    return learned(parts, people[0])


@pytest.fixture
def moving(parts, owner, buyer, people, tmp_path):
    """A region with a model, which goes along."""
    with selling(parts, owner, buyer, tmp_path / "exchange", "transfer") as moving:
        yield moving


def path_of(moving):
    return moving.exchange.bundle / MODEL


def plain(moving):
    return pyrage.decrypt(path_of(moving).read_bytes(), [identity_of(moving.buyer)])


def arrays_of(parts):
    """What the newest snapshot holds; but for when a row was used, which a start sets anew."""
    arrays = snapshots.load(parts, snapshots.snapshots(parts)[0]).arrays
    return {name: array for name, array in arrays.items() if not name.endswith(".used_ms")}


def sealed(moving):
    with moving.seller.transaction() as session:
        return last_sealed(session, moving.sale.proposal.transfer_id)


def disputed(moving, words):
    """Let the buyer verify what it refuses; nothing is there afterwards."""
    with pytest.raises(Invalid, match=words):
        move.receive(moving.buyer, moving.exchange)
    receipt, _ = handover.read_receipt(moving.exchange.receipt.read_bytes(), moving.sale.scope)
    assert receipt.outcome == "disputed"
    assert MODEL in receipt.found
    move.take_receipt(moving.seller, moving.exchange)
    with moving.buyer.transaction() as session:
        assert newest_transfer(session) is None
    assert snapshots.snapshots(moving.buyer) == []
    assert list(moving.buyer.store.list("snapshots")) == []


def resealed(moving, model_bytes):
    """Put another model into the bundle, as a seller could who signs what it likes."""
    folder, identity = moving.exchange.bundle, identity_of(moving.buyer)
    label = read_label(folder)
    manifest = sealed(moving).manifest
    digest = hashlib.sha256(model_bytes).hexdigest()
    assets = [
        msgspec.structs.replace(one, digest=digest) if one.kind == "model" else one
        for one in manifest.assets
    ]
    manifest = msgspec.structs.replace(manifest, assets=assets)
    recipient = moving.sale.scope.buyer.recipient
    to = pyrage.x25519.Recipient.from_str(recipient)
    fact = write_encrypted(folder, MODEL, [model_bytes], to)
    contents = msgspec.structs.replace(read_contents(folder, label, identity), model=fact)
    envelope = sign_closing(manifest, moving.seller.home.operator_key())
    write_contents(folder, contents, envelope, region=label.region, recipient=recipient)


def test_the_buyers_first_feed_is_made_by_the_model_that_came_along(moving, model, buyer):
    moving.sealed()
    (asset,) = [one for one in sealed(moving).manifest.assets if one.kind == "model"]
    assert asset.disposition == "transfer"
    assert asset.digest == hashlib.sha256(plain(moving)).hexdigest()
    assert b"REELM STATE" not in path_of(moving).read_bytes()
    move.receive(moving.buyer, moving.exchange)
    assert not list(moving.buyer.home.work.iterdir())
    move.cut_over(moving.seller, moving.exchange)
    move.countersign(moving.buyer, moving.exchange)
    (snapshot,) = snapshots.snapshots(moving.buyer)
    assert (snapshot.digest, snapshot.seq) == (asset.digest, 48)
    came, kept = arrays_of(moving.buyer), arrays_of(moving.seller)
    assert came.keys() == kept.keys()
    assert [name for name in kept if not np.array_equal(came[name], kept[name])] == []
    bought = serving(buyer)
    with TestClient(build(bought), base_url="https://localhost") as client:
        assert client.get("/api/feed").json()["is_profiled"] is True
        now = told(client)
        assert (now["state"], now["disposition"]) == ("came_along", "transfer")
        assert now["sentence"].endswith("came with the region.")
    bought.database.close()


def test_a_region_without_a_snapshot_has_its_model_made_of_the_log(moving, model):
    snapshots.forget(moving.seller, snapshots.snapshots(moving.seller))
    moving.verified()
    (snapshot,) = snapshots.snapshots(moving.buyer)
    assert Ranker.from_state(snapshots.load(moving.buyer, snapshot)).digest() == model


def test_a_seal_again_keeps_the_file_and_a_later_one_takes_the_place_of_the_model(moving, model):
    moving.verified()
    (first,) = snapshots.snapshots(moving.buyer)
    node = path_of(moving).stat().st_ino
    move.seal_region(moving.seller, moving.exchange)
    assert path_of(moving).stat().st_ino == node
    move.receive(moving.buyer, moving.exchange)
    assert [one.digest for one in snapshots.snapshots(moving.buyer)] == [first.digest]
    # The model of a shorter log is another one.
    snapshots.forget(moving.seller, snapshots.snapshots(moving.seller))
    with psycopg.connect(moving.seller.database.conninfo) as connection:
        connection.execute("DELETE FROM signal WHERE seq > 40")
    move.seal_region(moving.seller, moving.exchange)
    move.receive(moving.buyer, moving.exchange)
    (second,) = snapshots.snapshots(moving.buyer)
    assert second.digest != first.digest
    assert [one.key for one in moving.buyer.store.list("snapshots")] == [second.object]


def test_a_model_that_is_missing_or_altered_is_disputed(moving, model):
    moving.sealed()
    good = path_of(moving).read_bytes()
    path_of(moving).unlink()
    disputed(moving, f"{MODEL} of the bundle is missing")
    path_of(moving).write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    disputed(moving, f"{MODEL} of the bundle cannot be read")
    assert moving.state() == "disputed"
    path_of(moving).write_bytes(good)
    assert move.receive(moving.buyer, moving.exchange).receipt.outcome == "equal"


def test_a_model_that_the_seller_signed_is_checked_all_the_same(moving, model):
    moving.sealed()
    whole = plain(moving)
    resealed(moving, whole.replace(b'"last_seq":48', b'"last_seq":49'))
    disputed(moving, f"{MODEL} of the bundle is refused.*the log does not have")
    resealed(moving, whole.replace(b"REELM", b"REALM"))
    disputed(moving, f"{MODEL} of the bundle is refused.*no snapshot")
    resealed(moving, whole)
    assert move.receive(moving.buyer, moving.exchange).receipt.outcome == "equal"


@pytest.mark.parametrize("disposition", ["exclude", "retrain"])
def test_a_model_that_stays_is_in_no_bundle_and_not_taken_from_one(
    parts, owner, buyer, people, model, tmp_path, disposition
):
    with selling(parts, owner, buyer, tmp_path / "exchange", disposition) as moving:
        moving.sealed()
        assert not path_of(moving).exists()
        (kept,) = snapshots.snapshots(moving.seller)[:1]
        (asset,) = [one for one in sealed(moving).manifest.assets if one.kind == "model"]
        assert (asset.digest, asset.disposition) == (kept.digest, disposition)
        path_of(moving).write_bytes(b"a gift")
        disputed(moving, f"does not name: {MODEL}")
        resealed(moving, parts.store.get(kept.object))
        disputed(moving, f"has a {MODEL}, and by its manifest the model stays behind")
