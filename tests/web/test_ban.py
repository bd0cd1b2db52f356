"""The service is withheld, people take their data or go, and a lift brings back what was there."""

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.commands.served import until
from tests.regions.factory import make_body
from tests.videos.acts import imported, person
from tests.videos.factory import Clips

from reelm import moderation
from reelm.videos import publish as publishing

# What an order and an erasure leave behind by design, and what runs the deployment.
OF_THE_ORDER = {"legal_order", "restriction", "clock_mark"}
OF_THE_ERASURE = {"erased_account", "erased_handle", "unneeded_object"}
# An address that is withheld, and writes nothing when it is not.
PROBE = "/api/feed/weights"
OF_THE_DEPLOYMENT = {"process_lease", "job_report", "rate_limit", "session", "snapshot"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return Clips(tmp_path_factory.mktemp("clips"))("mp4")


def rows(parts):
    """Every row of every table, as text, but of those that change by themselves."""
    tables = (
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace = 'public'::regnamespace"
    )
    found = set()
    with parts.transaction() as session:
        for table in session.scalars(text(tables)).all():
            own = OF_THE_ORDER | OF_THE_ERASURE | OF_THE_DEPLOYMENT
            if table in own or table.startswith(("audit_", "procrastinate_", "alembic_")):
                continue
            told = session.scalars(text(f"SELECT to_jsonb(t)::text FROM {table} t"))
            found |= {f"{table} {row}" for row in told}
    return found


@pytest.fixture
def people(parts, join, clip):
    """Three who post, follow, like and comment; each with a client."""
    clients = {name: join(name) for name in ("ana", "ben", "cleo")}
    posted = {}
    for name in clients:
        posted[name] = imported(parts, person(parts, name), clip)
        publishing.publish(parts, posted[name])
    for name, client in clients.items():
        for other, video in posted.items():
            if other != name:
                assert client.post(f"/api/accounts/{other}/follow").status_code == 200
                assert client.post(f"/api/videos/{video}/like").status_code == 200
                comment = client.post(f"/api/videos/{video}/comments", json={"body": "nice"})
                assert comment.status_code == 201
    return clients, posted


def test_a_ban_and_its_lift_change_nothing_but_what_people_erased(parts, people, client, run_jobs):
    clients, posted = people
    with parts.transaction() as session:
        body = make_body(session)
    cleo = person(parts, "cleo")
    gone = {str(cleo), str(posted["cleo"])}
    run_jobs()
    before = rows(parts)

    order = body.statement("block_service")
    submit(parts, body.sign(order))
    assert until(lambda: client.get(PROBE).status_code == 451)
    for each in clients.values():
        assert each.get("/api/feed").status_code == 451
        assert each.get("/api/me/export").status_code == 200
    erased = clients["cleo"].request(
        "DELETE", "/api/me", json={"password": "correct horse battery"}
    )
    assert erased.status_code == 200

    def is_gone():
        run_jobs()  # the last job of an erasure comes again while another is at work
        return not any(str(cleo) in row for row in rows(parts))

    assert until(is_gone)

    submit(parts, body.order("lift", targets={"orders": [order["reference"]]}))
    assert until(lambda: client.get(PROBE).status_code == 200)
    run_jobs()
    after = rows(parts)
    # Totals lose what the erased account added, and nothing else.
    counts = {row for row in before | after if row.startswith("video_count ")}
    # What others did at an erased video stays in their own history.
    told = {row for row in before | after if any(number in row for number in gone)}
    assert after - counts - told == before - counts - told
    assert not any(str(cleo) in row for row in after)
    for name in ("ana", "ben"):
        shown = clients[name].get(f"/api/videos/{posted['ana']}").json()
        assert (shown["likes"], shown["comments"]) == (1, 1)
    assert client.get("/api/accounts/cleo").status_code == 404
    assert client.get(f"/api/videos/{posted['cleo']}").status_code == 404


def submit(parts, envelope):
    with parts.transaction() as session:
        moderation.submit_order(session, parts, envelope)
