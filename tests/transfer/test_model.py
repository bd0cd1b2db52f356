"""The model in a sale: what goes along of it, and how a buyer without it comes to one."""

import hashlib
import html
import struct

import numpy as np
import psycopg
import pyarrow as pa
import pyrage
import pytest
from starlette.testclient import TestClient
from tests.accounts.factory import PASSWORD
from tests.audit.factory import integrate
from tests.feed.log.test_holder import until
from tests.transfer.bundle_factory import files_of, sealed, sold
from tests.transfer.factory import EXPORTER, make_sale
from tests.transfer.model_factory import (
    Gate,
    learned,
    make_people,
    running,
    serving,
    told,
)
from tests.web.conftest import FEW

from reelm import feed, transfer
from reelm.feed.log import snapshots
from reelm.feed.log.catch_up import CatchUp
from reelm.feed.log.state_file import write_state
from reelm.feed.ranker import Ask, Ranker, State
from reelm.feed.signals import Kind, Signal
from reelm.foundation.classes import Transfer
from reelm.foundation.database import Base
from reelm.foundation.errors import Conflict, Invalid
from reelm.foundation.parts import Parts
from reelm.transfer.bundle import import_, verify
from reelm.web.application import build

# Nothing computes these: what is found of them was copied.
CANARIES = (0.7310585975646973, 123456.7890625, -3.1415927410125732)


pytestmark = pytest.mark.usefixtures("small_ranker")


@pytest.fixture
def people(parts):
    """Two who watch, and videos of a third."""
    return make_people(parts)


@pytest.fixture
def seller(parts, people):
    """A seller whose model has learned; yields the digest of its state."""
    return learned(parts, people[0])


@pytest.fixture
def taken_over(buyer):
    """Import a bundle, and put the buyer in charge as the cutover does."""
    opened = []

    def take_over(made) -> Parts:
        opened.append(in_charge(made, buyer))
        return opened[-1]

    yield take_over
    for one in opened:
        one.database.close()


def in_charge(made, buyer) -> Parts:
    import_(
        verify(made.folder, made.identity, made.expected),
        buyer.owner, buyer.store, buyer.region_key, buyer.home.work,
    )  # fmt: skip
    key = buyer.home.operator_key().public_key().public_bytes_raw().hex()
    with psycopg.connect(buyer.owner) as connection:
        connection.execute("UPDATE tenure SET ended_at = now()")
        connection.execute(
            "INSERT INTO tenure (epoch, operator, public_key, began_at)"
            " VALUES (2, 'The Buyer', %s, now())",
            [key],
        )
        connection.execute("UPDATE transfer SET ended_at = now(), ending = 'cutover'")
    return serving(buyer)


def sell(parts, owner, buyer, tmp_path, disposition):
    """Propose, and seal a bundle of the region."""
    choices = transfer.Choices(
        dispositions={"model": disposition}, export_controlled=frozenset({"model"}), origin=EXPORTER
    )
    with parts.transaction() as session:
        sale = make_sale(session, parts)
        sale.buyer_key = buyer.home.operator_key()
        sale.propose(choices)
    integrate(parts)
    made = sold(owner, parts, tmp_path / "bundle")
    sealed(made, parts)
    return made


def planted(parts):
    """Make canaries the newest model, in memory as in the snapshots; return their state."""
    snapshot = snapshots.snapshots(parts)[0]
    header, arrays = snapshots.load(parts, snapshot)
    arrays = {name: np.array(array) for name, array in arrays.items()}
    for name, array in arrays.items():
        if array.dtype in (np.float32, np.float64) and name.startswith(
            ("net.", "relevance.", "videos.vector")
        ):
            array.flat[: len(CANARIES)] = CANARIES[: array.size]
    for _ in range(snapshots.KEPT):
        snapshots.save(parts, State(header, arrays), snapshot.seq)
    return State(header, arrays)


def encodings():
    """Yield each canary as it might be written somewhere."""
    for value in CANARIES:
        for form in ("<f", "<d", ">f", ">d"):
            yield struct.pack(form, value)
        for number in (value, float(np.float32(value))):
            yield repr(number).encode()
        yield str(np.float32(value)).encode()
        for form in ("<f", "<d"):
            yield struct.pack(form, value).hex().encode()


def plain_bytes(made):
    """Yield every file of the bundle, opened and unpacked."""
    for path in files_of(made.folder):
        data = path.read_bytes()
        if path.suffix == ".age":
            data = pyrage.decrypt(data, [made.identity])
        yield path.relative_to(made.folder), data + unpacked(data)


def unpacked(data):
    """Return what the frames of a file hold; nothing where it has none (docs/bundle.md)."""
    found, at = b"", 0
    while at + 8 <= len(data):
        packed, plain = struct.unpack_from(">II", data, at)
        if not packed or at + 8 + packed > len(data) or plain > 1 << 20:
            return b""
        try:
            frame = data[at + 8 : at + 8 + packed]
            found += pa.Codec("zstd").decompress(frame, plain, asbytes=True)
        except OSError:
            return b""
        at += 8 + packed
    return found


def found_in(made):
    return {str(path) for path, data in plain_bytes(made) if any(c in data for c in encodings())}


def found_in_tables(owner):
    """The tables that go along in which a canary is."""
    found = set()
    with psycopg.connect(owner) as connection:
        for name, table in Base.metadata.tables.items():
            if table.info["data"].transfer is Transfer.TRANSFER:
                rows = connection.execute(f"SELECT t::text FROM {name} AS t").fetchall()
                data = "\n".join(row[0] for row in rows).encode()
                if any(canary in data for canary in encodings()):
                    found.add(name)
    return found


@pytest.mark.parametrize("disposition", ["exclude", "retrain"])
def test_no_weights_are_in_the_bundle_or_in_any_table_that_goes_along(
    parts, owner, buyer, people, seller, tmp_path, disposition
):
    state = planted(parts)
    with (tmp_path / "state").open("wb") as file:
        write_state(file, state)
    assert any(c in (tmp_path / "state").read_bytes() for c in encodings()), "they can be found"
    live = running(parts)  # serves and writes with the canaries in its memory
    for viewer in people[0]:
        for pick in live.recommend(Ask(viewer, 1_750_000_100_000, 4)):
            live.observe([
                Signal(viewer, pick.video_id, Kind.IMPRESSION, source=pick.source,
                       propensity=pick.propensity, surface=1)
            ])  # fmt: skip
    live.stop()
    made = sell(parts, owner, buyer, tmp_path, disposition)
    assert found_in(made) == set()
    assert found_in_tables(owner) == set()
    names = [str(path) for path, _ in plain_bytes(made)]
    assert not any("snapshot" in name for name in names)


def test_the_search_finds_a_weight_that_leaks(parts, owner, buyer, people, seller, tmp_path):
    with psycopg.connect(owner) as connection:
        connection.execute(
            "UPDATE video SET caption = caption || %s WHERE id = %s",
            [struct.pack("<f", CANARIES[1]).hex(), people[1][0]],
        )
    made = sell(parts, owner, buyer, tmp_path, "exclude")
    assert {name.split("/")[1] for name in found_in(made)} == {"video"}
    assert found_in_tables(owner) == {"video"}


def test_a_buyer_without_the_model_serves_what_is_popular_and_then_learns_the_very_same(
    parts, owner, buyer, taken_over, people, seller, tmp_path, monkeypatch
):
    made = sell(parts, owner, buyer, tmp_path, "exclude")
    bought = taken_over(made)
    gate, learn = Gate(), CatchUp._learn_from
    monkeypatch.setattr(CatchUp, "_learn_from", lambda one, batch: gate.by(one, batch, learn))
    gate.let(9)
    with TestClient(build(bought), base_url="https://localhost") as client:
        signed_in_as(client, "ana")
        first = client.get("/api/feed", params={"limit": 4}).json()
        assert (len(first["videos"]), first["is_profiled"]) == (4, False)
        until(lambda: told(client)["learned"] == 0.375)
        now = told(client)
        assert (now["state"], now["since"]) == ("retraining", None)
        assert "stayed with it (excluded from the sale). The feed does not use" in now["sentence"]
        assert f"{int(now['learned'] * 100)} % done" in now["sentence"]
        assert now["sentence"] in html.unescape(client.get("/region").text)
    gate.let(4)  # a restart goes on
    with TestClient(build(bought), base_url="https://localhost") as client:
        until(lambda: (told(client)["learned"] or 0) > now["learned"])
        assert client.get("/api/feed").json()["is_profiled"] is False
        gate.let(1000)
        until(lambda: told(client)["state"] == "retrained")
        assert client.get("/api/feed").json()["is_profiled"] is True, "without a restart"
        now = told(client)
        assert (now["first_seq"], now["last_seq"]) == (1, 48)
        assert "learned from this region's own log alone: signals 1 to 48" in now["sentence"]
    snapshot = snapshots.snapshots(bought)[-1]
    assert Ranker.from_state(snapshots.load(bought, snapshot)).digest() == seller
    with TestClient(build(bought), base_url="https://localhost") as client:
        assert told(client)["since"] == now["since"], "once in a tenure"


def test_who_is_not_profiled_is_not_before_and_not_after(
    parts, owner, buyer, taken_over, people, seller, tmp_path, monkeypatch
):
    (ana, _), _ = people
    with parts.transaction() as session:
        feed.change_settings(
            session,
            parts,
            viewer_id=ana,
            account_id=ana,
            change=feed.SettingsChange(is_profiled=False),
        )
    bought = taken_over(sell(parts, owner, buyer, tmp_path, "exclude"))
    gate, learn = Gate(), CatchUp._learn_from
    monkeypatch.setattr(CatchUp, "_learn_from", lambda one, batch: gate.by(one, batch, learn))
    with TestClient(build(bought), base_url="https://localhost") as client:
        signed_in_as(client, "ana")
        assert client.get("/api/feed").json()["is_profiled"] is False
        gate.let(1000)
        until(lambda: told(client)["state"] == "retrained")
        assert client.get("/api/feed").json()["is_profiled"] is False
        signed_in_as(client, "ben")
        assert client.get("/api/feed").json()["is_profiled"] is True


@pytest.mark.parametrize("disposition", ["transfer", "license"])
def test_a_model_that_goes_along_serves_from_the_first_request_on(
    parts, owner, buyer, taken_over, people, seller, tmp_path, disposition
):
    made = sell(parts, owner, buyer, tmp_path, disposition)
    snapshots.forget(
        parts, snapshots.snapshots(parts)[:1]
    )  # older: the rest is learned from the log
    facts = feed.export_model(parts, tmp_path / "model")
    assert (facts.learned.first_seq, facts.learned.last_seq) == (1, 48)
    bought = taken_over(made)
    with psycopg.connect(buyer.owner) as connection:
        installed = feed.install_model(connection, bought.store, tmp_path / "model", facts.digest)
        assert installed == facts
        with pytest.raises(Conflict, match="has a model"):
            feed.install_model(connection, bought.store, tmp_path / "model", facts.digest)
    (snapshot,) = snapshots.snapshots(bought)
    assert Ranker.from_state(snapshots.load(bought, snapshot)).digest() == seller
    with TestClient(build(bought), base_url="https://localhost") as client:
        assert client.get("/api/feed").json()["is_profiled"] is True
        assert told(client)["state"] == "came_along"


def test_a_model_that_is_not_the_one_named_is_refused(parts, people, seller, tmp_path):
    path = tmp_path / "model"
    facts = feed.export_model(parts, path)
    whole = path.read_bytes()
    viewers = b'"viewers":%d' % FEW.viewers
    for data in (whole[:-1], whole + b"1", whole.replace(b"REELM", b"REALM")):
        path.write_bytes(data)
        with pytest.raises(Invalid, match="SHA-256"):
            feed.check_model(path, facts.digest)
        with pytest.raises(Invalid, match="no snapshot"):
            feed.check_model(path, hashlib.sha256(data).hexdigest())
    for spoilt in (
        whole.replace(b'"last_seq":48', b'"last_seq":-1'),
        whole.replace(b'"learned":', b'"loaned":'),
        whole.replace(b'"version":2', b'"version":3'),
        whole.replace(viewers, b'"viewers":0x9'),
        whole.replace(viewers, b'"viewers":2e9'),
    ):
        length = len(spoilt) - len(whole)
        head = int.from_bytes(whole[14:22], "little") + length
        path.write_bytes(spoilt[:14] + head.to_bytes(8, "little") + spoilt[22:])
        assert spoilt != whole
        with pytest.raises(Invalid):
            feed.check_model(path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_model_of_signals_that_the_log_does_not_have_is_refused(
    parts, people, seller, buyer, tmp_path
):
    facts = feed.export_model(parts, tmp_path / "model")
    with (
        psycopg.connect(buyer.owner) as connection,
        pytest.raises(Invalid, match="the log does not have"),
    ):
        feed.install_model(connection, buyer.store, tmp_path / "model", facts.digest)


def signed_in_as(client, handle):
    """Sign in with the password that the person had with the seller."""
    answer = client.post(
        "/api/sessions",
        json={"handle": handle, "password": PASSWORD},
        headers={"origin": "https://localhost"},
    )
    assert answer.status_code == 201, answer.text
