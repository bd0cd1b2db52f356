"""A region goes to a buyer by a bundle, and everything there is what was closed."""

import psycopg
import pytest
from tests.accounts.factory import signed_up
from tests.audit.factory import integrate
from tests.transfer.factory import fill, sealed, sold

from reelm.accounts import Wrapping
from reelm.accounts.keys import DataKey
from reelm.accounts.models import AccountPrivate
from reelm.foundation.classes import Transfer
from reelm.foundation.database import Base
from reelm.proofs.closing import EMPTY_TABLE_ROOT
from reelm.transfer.bundle import import_, verify


@pytest.fixture
def made(owner, parts, tmp_path):
    """A region with edge values, for sale."""
    fill(owner, parts, rows=8, seed=1)
    return sold(owner, parts, tmp_path / "bundle")


def bought(made, buyer):
    opened = verify(made.folder, made.identity, made.expected)
    return import_(opened, buyer.owner, buyer.store, buyer.region_key, buyer.home.work)


def test_every_table_arrives_with_the_root_that_was_closed(made, parts, buyer):
    manifest = sealed(made, parts)
    filled = {table.name for table in manifest.tables if table.rows}
    empty = {table.name for table in manifest.tables} - filled
    assert empty <= {"audit_node", "audit_witness", "audit_cosignature", "audit_opening"}
    assert all(one.root == EMPTY_TABLE_ROOT for one in manifest.tables if not one.rows)
    imported = bought(made, buyer)
    assert imported.rows == {table.name: table.rows for table in manifest.tables}
    assert imported.objects == manifest.objects.count >= 4
    assert rows_of(made.owner) == rows_of(buyer.owner)


def rows_of(owner):
    """All rows that go along, but the wrapped keys."""
    found = {}
    with psycopg.connect(owner) as connection:
        for name, table in Base.metadata.tables.items():
            if table.info["data"].transfer is Transfer.TRANSFER and name != "account_key":
                rows = connection.execute(f"SELECT t::text FROM {name} AS t ORDER BY 1")
                found[name] = rows.fetchall()
    return found


def test_sealed_columns_open_under_the_buyers_region_key(made, parts, buyer):
    with parts.transaction() as session:
        account_id = signed_up(session, parts).account_id
    integrate(parts)
    sealed(made, parts)
    bought(made, buyer)
    wrapping = Wrapping(buyer.region_key)
    with psycopg.connect(buyer.owner) as connection:
        query = (
            "SELECT wrapped_key, region_key_version, birth_date FROM account_key"
            " JOIN account_private USING (account_id) WHERE account_id = %s"
        )
        [(wrapped, version, birth_date)] = connection.execute(query, [account_id]).fetchall()
    assert version == wrapping.version
    key = DataKey(account_id, wrapping.unwrap(account_id, wrapped))
    assert key.open(AccountPrivate.birth_date, birth_date) == "1990-05-17"
