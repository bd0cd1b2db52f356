import io
import json
import zipfile

import pytest
from sqlalchemy import LargeBinary, select, update
from tests.accounts.factory import signed_in, signed_up
from tests.accounts.traces import SEALED_TEXT, fill_every_table

from reelm import accounts
from reelm.accounts import export, persons
from reelm.accounts.export import SECRETS, exported_tables
from reelm.foundation.database import Base, Erasure
from reelm.foundation.database.classes import Form

RENDITION = Base.metadata.tables["rendition"]


def _opened(parts, account_id):
    data = b"".join(accounts.export_account(parts, account_id))
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive, json.loads(archive.read("account.json"))


@pytest.fixture
def filled(parts):
    with parts.transaction() as session:
        account_id, other = (signed_up(session, parts).account_id for _ in range(2))
        for one, another in ((account_id, other), (other, account_id)):
            signed_in(session, parts, one)
            fill_every_table(session, parts, one, another)
        key = parts.store.put_bytes("renditions", b"film" * 1000).key
        session.execute(update(RENDITION).values(object=key))
    return account_id, other


def test_an_export_holds_every_table_that_has_something_of_the_account(parts, filled):
    account_id, _ = filled
    _, document = _opened(parts, account_id)
    # Only what is kept about an account after its erasure has nothing of a living one.
    empty = {name for name, rows in document["tables"].items() if not rows}
    assert empty == {"erased_account"}
    in_every_table = {
        table.name
        for table in Base.metadata.sorted_tables
        if persons.rows_of(table, account_id, persons.ERASED_BY) is not None
    }
    assert in_every_table - set(document["tables"]) == set()
    assert document["account_id"] == str(account_id)


def test_an_export_holds_nothing_of_others(parts, filled):
    account_id, other = filled
    _, document = _opened(parts, account_id)
    for name, rows in document["tables"].items():
        table = Base.metadata.tables[name]
        for row in rows:
            named = {row[c.name] for c in table.columns if c.name in persons.EXPORTED_BY}
            assert not named or str(account_id) in named, name
    blocks = document["tables"]["block"]
    assert [row["account_id"] for row in blocks] == [str(account_id)]
    assert str(other) in {row["blocked_id"] for row in blocks}


def test_sealed_fields_are_opened_and_secrets_left_out(parts, filled):
    account_id, _ = filled
    _, document = _opened(parts, account_id)
    tables = document["tables"]
    assert tables["account_private"][0]["birth_date"] == "1990-05-17"
    assert tables["session"][-1]["address"] in {"203.0.113.9", SEALED_TEXT}
    assert tables["upload"][0]["draft"] == SEALED_TEXT
    assert tables["report"][0]["detail"] == SEALED_TEXT
    for secret in SECRETS:
        table, column = secret.split(".")
        assert all(row[column] == export.LEFT_OUT for row in tables[table])


def test_every_column_of_bytes_is_sealed_or_a_secret():
    for name in exported_tables(1):
        for column in Base.metadata.tables[name].columns:
            if isinstance(column.type, LargeBinary) and column.info["form"] is not Form.SEALED:
                assert f"{name}.{column.name}" in SECRETS


def test_media_come_with_the_rows(parts, filled):
    account_id, _ = filled
    archive, document = _opened(parts, account_id)
    video_id = document["tables"]["video"][0]["id"]
    assert archive.read(f"videos/{video_id}.mp4") == b"film" * 1000
    assert archive.read(f"videos/{video_id}.en.vtt") == b"en"
    assert b"account.json" in archive.read("README.txt")


def test_a_file_that_went_meanwhile_is_named_and_the_rest_arrives(parts, filled):
    account_id, _ = filled
    with parts.transaction() as session:
        parts.store.delete(session.scalars(select(RENDITION.c.object).limit(1)).one())
    archive, document = _opened(parts, account_id)
    assert document["tables"]["video"]
    assert "videos/" in archive.read("MISSING.txt").decode()


def test_an_export_is_sent_in_pieces_and_holds_no_connection(parts, filled, monkeypatch):
    account_id, _ = filled
    monkeypatch.setattr(export, "BATCH", 1)
    big = parts.store.put_bytes("renditions", bytes(5 << 20)).key
    with parts.transaction() as session:
        session.execute(update(RENDITION).values(object=big))
    pieces = accounts.export_account(parts, account_id)
    sizes = []
    for piece in pieces:
        sizes.append(len(piece))
        assert parts.database.engine.pool.checkedout() == 0
    assert sum(sizes) > 5 << 20
    assert max(sizes) < 3 << 20


def test_rows_are_paged_by_their_key(parts, filled, monkeypatch):
    account_id, _ = filled
    with parts.transaction() as session:
        for _ in range(5):
            signed_in(session, parts, account_id)
    _, whole = _opened(parts, account_id)
    monkeypatch.setattr(export, "BATCH", 2)
    _, paged = _opened(parts, account_id)
    assert paged["tables"] == whole["tables"]
    assert len(paged["tables"]["session"]) >= 6


def test_erasure_and_export_agree_on_the_tables():
    deleted = {
        table.name
        for table, _ in persons.tables_of_persons(Base.metadata, 1, persons.ERASED_BY)
        if table.info["data"].erasure is not Erasure.KEEP
    }
    assert deleted - set(exported_tables(1)) == set()
