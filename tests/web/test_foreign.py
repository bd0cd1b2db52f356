"""Nothing that one region gave out opens another."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from starlette.testclient import TestClient
from tests.conftest import OWNER_PASSWORD
from tests.regions.factory import make_body

from reelm import accounts, app, moderation
from reelm.foundation import ids
from reelm.foundation.config import load
from reelm.foundation.database import Database, roles
from reelm.foundation.errors import Invalid, Missing, Unavailable
from reelm.foundation.parts import Parts
from reelm.foundation.storage import open_store
from reelm.regions import orders
from reelm.web.application import build
from reelm.web.viewer import SESSION_COOKIE, VIEWER_COOKIE

PASSWORD = "correct horse battery"


@pytest.fixture
def elsewhere(parts, postgres, template, tmp_path) -> Iterator[Parts]:
    """A second region on the same database server: the nearest that one can be."""
    home = app.make_region(
        tmp_path / "other", jurisdiction="neutral", operator="Other", name="Other", number=8
    )
    name = f"other_{home.secret('database-app')[:8]}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {app.OWNER}")
    owner = make_conninfo(postgres, user=app.OWNER, password=OWNER_PASSWORD, dbname=name)
    settings = load(home.path, {})
    epoch = app.prepare(home, settings, owner)
    ids.use(ids.Snowflakes(region=parts.settings.region.number, process=2))
    conninfo = roles.app_conninfo(owner, epoch, home.secret("database-app"))
    database = Database(conninfo, pool_size=4, info={"subscribers": app.EVENTS})
    yield Parts(home, settings, database, open_store(settings.storage, home))
    database.close()
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        connection.execute(f"DROP ROLE {roles.app_role(name, 1)}")


@contextmanager
def visitor(parts) -> Iterator[TestClient]:
    with TestClient(build(parts), base_url="https://localhost") as client:
        client.headers["origin"] = "https://localhost"
        yield client


def test_a_session_and_a_viewers_cookie_of_another_region_are_nobodys(join, elsewhere):
    ana = join("ana")
    ana.get("/api/feed")
    token, viewer = ana.cookies[SESSION_COOKIE], ana.cookies.get(VIEWER_COOKIE)
    with visitor(elsewhere) as client:
        client.cookies.set(SESSION_COOKIE, token)
        assert client.get("/api/me").status_code == 401
        client.cookies.clear()
        if viewer is not None:
            client.cookies.set(VIEWER_COOKIE, viewer)
            # Another identity is given out: the signature is not this region's.
            assert VIEWER_COOKIE in client.get("/api/feed").headers["set-cookie"]


def test_a_cursor_that_another_region_signed_is_refused(client, elsewhere):
    cursor = client.get("/api/feed?tab=popular").json()["cursor"]
    with visitor(elsewhere) as other:
        assert (
            other.get("/api/feed", params={"tab": "popular", "cursor": cursor}).status_code == 400
        )


def test_an_authority_of_another_region_orders_nothing_here(parts, elsewhere):
    with elsewhere.transaction() as session:
        foreign = make_body(session)
    with parts.transaction() as session:
        with pytest.raises(Missing, match="no such authority"):
            moderation.submit_order(session, parts, foreign.order("block_service"))
        ours = make_body(session)
        # Its own order for the other region, replayed here by somebody who names ours.
        replayed = foreign.statement("block_service", authority=str(ours.id))
        with pytest.raises(Invalid, match="1 is needed"):
            moderation.submit_order(session, parts, foreign.sign(replayed))
        # Ours, signed by ours, but meant for the other region.
        meant = ours.statement("block_service", region=foreign.region)
        with pytest.raises(Invalid, match="for the region"):
            moderation.submit_order(session, parts, ours.sign(meant))
        assert orders.orders_in_force(session) == []


def test_the_staff_of_another_region_is_nobody_here(parts, elsewhere, join):
    join("boss")
    with parts.transaction() as session:
        accounts.make_staff(session, parts, handle="boss", role="owner")
    with visitor(elsewhere) as client:
        answer = client.post("/api/sessions", json={"handle": "boss", "password": PASSWORD})
        assert answer.status_code == 401


def test_the_database_role_of_another_region_reads_nothing_here(parts, elsewhere):
    ours = psycopg.conninfo.conninfo_to_dict(parts.database.conninfo)
    theirs = psycopg.conninfo.conninfo_to_dict(elsewhere.database.conninfo)
    as_them = make_conninfo(
        parts.database.conninfo, user=theirs["user"], password=theirs["password"]
    )
    with psycopg.connect(as_them) as connection:
        for table in ("account", "legal_order", "audit_entry"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT 1 FROM {table}")
            connection.rollback()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(make_conninfo(parts.database.conninfo, password=theirs["password"]))
    assert ours["user"] != theirs["user"]


def test_a_key_that_another_region_wrapped_does_not_open_here(parts, elsewhere):
    with parts.transaction() as session:
        account_id = accounts.ensure_account(session, parts, "ana")
        with pytest.raises(Unavailable, match="another region key"):
            accounts.data_key(session, elsewhere, account_id)
