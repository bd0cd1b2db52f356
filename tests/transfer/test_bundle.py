"""A region goes to a buyer by a bundle, and everything there is what was closed."""

import psycopg
import pytest
from tests.accounts.factory import signed_in, signed_up
from tests.audit.factory import integrate
from tests.transfer.bundle_factory import bought, fill, sealed, sold

from reelm.accounts import DataKey, Wrapping
from reelm.accounts.models import AccountPrivate
from reelm.foundation.classes import Transfer
from reelm.foundation.database import Base
from reelm.foundation.errors import Invalid
from reelm.proofs.closing import EMPTY_TABLE_ROOT
from reelm.transfer import RULES
from reelm.transfer.bundle import copy_objects, verify
from reelm.transfer.bundle.tables import moved_tables


@pytest.fixture
def made(owner, parts, tmp_path):
    """A region with edge values, for sale."""
    fill(owner, parts, rows=8, seed=1)
    return sold(owner, parts, tmp_path / "bundle")


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


def test_rows_go_by_their_primary_key_and_the_log_as_it_was_written():
    orders = {table.name: table.order_names for table in moved_tables(Base.metadata)}
    assert orders["signal"] == ["seq", "viewer_id", "day"]
    for name, order in orders.items():
        key = [column.name for column in Base.metadata.tables[name].primary_key.columns]
        assert set(order) == set(key), name
        assert name == "signal" or order == key


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


def test_the_catalogue_of_the_buyer_is_as_its_migrations_made_it(made, parts, buyer):
    sealed(made, parts)
    before = catalogue(buyer.owner)
    bought(made, buyer)
    assert catalogue(buyer.owner) == before
    # What was put on holds: a row that breaks it is refused.
    with (
        psycopg.connect(buyer.owner) as connection,
        pytest.raises(psycopg.errors.ForeignKeyViolation),
    ):
        connection.execute("INSERT INTO follow VALUES (1, 2, 'accepted', now())")


def catalogue(owner):
    """Constraints, indexes and triggers, but for those of the days of the log."""
    queries = (
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint",
        "SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index",
        "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal",
    )
    found = set()
    with psycopg.connect(owner) as connection:
        for query in queries:
            # PostgreSQL numbers the indexes of a partition in the order that they are made.
            rows = (
                (row[0], row[1].partition(" ON ")[2]) if row[0] == "signal_default" else row
                for row in connection.execute(query).fetchall()
            )
            found |= {row for row in rows if not str(row[0]).startswith(("signal_2", "pg_toast"))}
    return found


def test_each_day_of_the_log_has_its_partition(made, parts, buyer):
    sealed(made, parts)
    bought(made, buyer)
    with psycopg.connect(buyer.owner) as connection:
        days = connection.execute("SELECT DISTINCT day FROM signal").fetchall()
        found = connection.execute("SELECT DISTINCT tableoid::regclass::text FROM signal")
        assert {row[0] for row in found} == {f"signal_{day:%Y_%m_%d}" for (day,) in days}
    assert len(days) >= 2


def test_what_must_hold_and_does_not_is_named(made, parts, buyer, owner):
    # A seller whose own database lost a constraint, and has a row that breaks it.
    with psycopg.connect(owner) as connection:
        connection.execute("ALTER TABLE follow DROP CONSTRAINT fk_follow_creator_id")
        connection.execute(
            "INSERT INTO follow SELECT id, 5, 'accepted', now() FROM account LIMIT 1"
        )
    sealed(made, parts)
    with pytest.raises(Invalid, match="fk_follow_creator_id of table follow"):
        bought(made, buyer)
    with psycopg.connect(buyer.owner) as connection:
        assert connection.execute("SELECT count(*) FROM account").fetchone() == (0,)


def test_what_no_row_names_any_more_is_not_in_the_bundle(made, parts, owner):
    copy_objects(made.owner, parts.store, made.folder, made.sale.recipient)
    with psycopg.connect(owner) as connection:
        connection.execute("UPDATE account SET avatar_object = NULL")
        connection.execute("UPDATE video SET poster_object = NULL, original_object = NULL")
        connection.execute("DELETE FROM rendition")
        connection.execute("DELETE FROM sealed_copy")
    manifest = sealed(made, parts)
    assert manifest.objects.count == 0
    assert list((made.folder / "objects").rglob("*.age")) == []
    verify(made.folder, made.identity, made.expected)


def test_an_object_that_is_gone_is_said_in_the_manifest(made, parts, owner, buyer):
    with psycopg.connect(owner) as connection:
        connection.execute(
            "UPDATE account SET avatar_object = %s WHERE id = (SELECT min(id) FROM account)",
            [gone := f"avatars/ab/{'ab' * 32}"],
        )
    manifest = sealed(made, parts)
    assert [one.name for one in manifest.excluded if one.rule == "missing"] == [gone]
    bought(made, buyer)


def test_a_key_that_no_region_key_opens_stops_the_seal(made, parts, owner):
    with psycopg.connect(owner) as connection:
        connection.execute("UPDATE account_key SET region_key_version = 1 WHERE account_id = 0")
        connection.execute("INSERT INTO account_key VALUES (77, '\\x01', 5)")
    with pytest.raises(Invalid, match="data key 77"):
        sealed(made, parts)


def test_every_excluded_table_is_said_with_its_reason_and_rows(made, parts):
    with parts.transaction() as session:
        signed_in(session, parts, signed_up(session, parts).account_id)
    integrate(parts)
    manifest = sealed(made, parts)
    sessions = next(one for one in manifest.excluded if one.name == "session")
    assert (sessions.rule, sessions.rows) == ("excluded_by_class", 1)
    assert all(one.reason for one in manifest.excluded)
    assert {one.rule for one in manifest.excluded} < set(RULES)
