"""What the buyer's database is told with an import, and what it takes to import again."""

import sys

import psycopg
import pytest
from tests.accounts.factory import signed_up
from tests.audit.factory import integrate
from tests.transfer.bundle_factory import bought, sealed, sold

from reelm.foundation import ids
from reelm.foundation.database import Database
from reelm.foundation.database.lease import leased_ids
from reelm.foundation.errors import Conflict, Invalid


@pytest.fixture
def made(owner, parts, tmp_path):
    """A sealed region of one account."""
    with parts.transaction() as session:
        signed_up(session, parts)
    integrate(parts)
    made = sold(owner, parts, tmp_path / "bundle")
    sealed(made, parts)
    return made


def asked(owner, query):
    with psycopg.connect(owner) as connection:
        return connection.execute(query).fetchall()


def test_a_bundle_needs_a_fresh_database(made, buyer):
    bought(made, buyer)
    with pytest.raises(Conflict, match="is not empty"):
        bought(made, buyer)


def test_an_import_may_replace_an_earlier_one(made, buyer, owner, parts):
    bought(made, buyer)
    with psycopg.connect(owner) as connection:
        connection.execute("UPDATE account SET bio = 'written since'")
    with parts.transaction() as session:
        signed_up(session, parts, handle="another")
    integrate(parts)
    sealed(made, parts)
    bought(made, buyer, may_replace=True)
    query = "SELECT id, handle, bio FROM account ORDER BY id"
    assert asked(buyer.owner, query) == asked(owner, query) != []


def test_what_the_caller_adds_comes_with_the_import_or_not_at_all(made, buyer):
    def finish(connection):
        assert connection.execute("SELECT count(*) FROM account").fetchone() == (1,)
        connection.execute("UPDATE account SET bio = 'added'")

    def failing(connection):
        finish(connection)
        raise Conflict("not yet")

    with pytest.raises(Conflict, match="not yet"):
        bought(made, buyer, finish=failing)
    assert asked(buyer.owner, "SELECT count(*) FROM account") == [(0,)]
    bought(made, buyer, finish=finish)
    assert asked(buyer.owner, "SELECT bio FROM account") == [("added",)]


def test_ids_of_the_buyer_are_later_than_all_of_the_bundle(made, buyer, owner):
    bought(made, buyer)
    largest = asked(owner, "SELECT greatest(max(a.id), max(e.id)) FROM account a, audit_entry e")
    leases = asked(buyer.owner, "SELECT process, until FROM process_lease ORDER BY process")
    assert [process for process, _ in leases] == list(range(ids.MAX_PROCESS + 1))
    assert all(until > ids.made_at(largest[0][0]) for _, until in leases)
    database = Database(buyer.owner, pool_size=2)
    # The smallest region number, which would come first within one millisecond.
    with leased_ids(database, 0):
        assert [(ids.new_id(),)] > largest
    database.close()


def test_a_lease_that_somebody_holds_is_kept(made, buyer):
    with psycopg.connect(buyer.owner) as connection:
        connection.execute("INSERT INTO process_lease VALUES (3, 'here', now() + interval '1 day')")
    bought(made, buyer)
    found = asked(buyer.owner, "SELECT holder FROM process_lease WHERE until > now()")
    assert found == [("here",)]


@pytest.fixture
def after_loading(monkeypatch):
    """Runs a statement when the rows are loaded, before they are read back."""

    def run(statement):
        module = sys.modules["reelm.transfer.bundle.import_"]

        def set_sequences(connection, tables):
            for table in tables:
                connection.execute(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
            assert connection.execute(statement).rowcount == 1
            for table in tables:
                connection.execute(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")

        monkeypatch.setattr(module, "set_sequences", set_sequences)

    return run


FIRST = "WHERE id = (SELECT min(id) FROM audit_entry)"


def test_rows_that_do_not_lie_in_order_are_read_in_order(made, buyer, after_loading, owner):
    # What is written again lies behind the rest.
    after_loading("UPDATE audit_entry SET kind = kind " + FIRST)
    bought(made, buyer)
    lying = asked(buyer.owner, "SELECT id FROM audit_entry")
    assert sorted(lying) == asked(owner, "SELECT id FROM audit_entry ORDER BY id") != lying


def test_a_row_that_lies_otherwise_than_it_was_closed_is_named(made, buyer, after_loading, owner):
    after_loading("UPDATE audit_entry SET kind = 'regions.restarted' " + FIRST)
    [(first,)] = asked(owner, "SELECT min(id) FROM audit_entry")
    with pytest.raises(Invalid, match=f"audit_entry lies .* first that differs is id {first}"):
        bought(made, buyer)
