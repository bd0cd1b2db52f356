"""The report on the pages and in the API is the one that anyone computes from the exported log."""

from datetime import timedelta

import msgspec
import pytest
from tests.accounts.factory import signed_up
from tests.audit.factory import exported, integrate
from tests.commands.factory import reelm
from tests.regions.factory import make_body, people

from reelm import moderation
from reelm.foundation.clock import now, utc_text
from reelm.proofs.leaf import read_leaf
from reelm.transparency import read_period, transparency_report

MONTH = f"{now():%Y-%m}"


@pytest.fixture
def happened(parts, join):
    """Orders, one of them confidential and one lifted, and a grievance."""
    ana = join("ana")
    ana_id = int(ana.get("/api/me").json()["id"])
    with parts.transaction() as session:
        body = make_body(session)
        for fields in ({"confidential": True}, {"countries": ["LK"]}, {}):
            statement = body.statement("suspend_account", targets=people(ana_id), **fields)
            moderation.submit_order(session, parts, body.sign(statement))
        lift = body.order("lift", targets={"orders": [statement["reference"]]})
        moderation.submit_order(session, parts, lift)
    report = {"target_kind": "account", "target_id": str(ana_id), "reason": "spam"}
    assert ana.post("/api/reports", json=report).status_code in (201, 202)
    integrate(parts)


def told(client):
    answer = client.get(f"/api/transparency/{MONTH}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_report_tells_what_happened(client, happened):
    report = told(client)["report"]
    orders = report["sections"]["orders"]
    assert orders["figures"]["begun"] == 3
    assert orders["by"]["kind"] == {"suspend_account": 2, "lift": 1}
    assert orders["by"]["authority"] == {"Demo Ministry": 3}
    assert orders["by"]["outcome"] == {"complied": 3, "lifted": 1}
    assert orders["figures"]["in_force_at_end"] == 1
    assert report["sections"]["confidential"]["figures"]["recorded"] == 1
    assert report["sections"]["grievances"]["figures"]["received"] == 1
    assert orders["times"]["done"]["all"]["count"] == 3


def test_the_report_of_the_exported_log_equals_the_page(parts, client, happened, tmp_path):
    shown = told(client)
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"".join(exported(parts)))
    ran = reelm("transparency", "report", "--month", MONTH, "--log", file, "--json")
    assert ran.status == 0, ran.err
    assert ran.json() == shown
    page = client.get(f"/transparency/{MONTH}").text
    assert shown["digest"] in page
    assert shown["log"]["root"] in page
    csv = reelm("transparency", "report", "--month", MONTH, "--log", file, "--csv").out
    assert csv.splitlines() == client.get(f"/api/transparency/{MONTH}/csv").text.splitlines()


def test_the_report_follows_from_the_leaves_alone(parts, client, happened):
    leaves = [read_leaf(line[:-1]) for line in exported(parts) if line.startswith(b'{"at"')]
    computed = transparency_report(leaves, read_period(MONTH))
    assert msgspec.to_builtins(computed) == told(client)["report"]


def test_nothing_is_counted_from_a_log_that_was_tampered_with(parts, client, happened, tmp_path):
    lines = exported(parts)
    place = next(i for i, line in enumerate(lines) if b"order_in_force" in line)
    edited = lines[place].replace(b'"interim":false', b'"interim":true')
    assert edited != lines[place]
    file = tmp_path / "log.jsonl"
    for planted in (
        [
            *lines[:place],
            lines[place].replace(b'"interim":false', b'"interim":true'),
            *lines[place + 1 :],
        ],
        [*lines[:place], *lines[place + 1 :]],
        [*lines[:place], b"{not json}\n", *lines[place + 1 :]],
        lines[:-1],
    ):
        file.write_bytes(b"".join(planted))
        ran = reelm("transparency", "report", "--month", MONTH, "--log", file, "--json")
        assert ran.status == 1
        assert ran.out == ""
        assert "is not sound" in ran.err


def test_what_is_logged_later_is_counted_by_the_next_request(parts, client, happened):
    before = told(client)["report"]["sections"]["grievances"]["figures"]["received"]
    report = {"target_kind": "account", "target_id": "5", "reason": "hate"}
    client.post("/api/reports", json=report)
    integrate(parts)
    after = told(client)["report"]["sections"]["grievances"]
    assert after["figures"]["received"] == before + 1
    assert after["by"]["reason"] == {"hate": 1, "spam": 1}


def test_the_current_month_is_not_finished_and_later_ones_are_not_there(client, happened):
    assert told(client)["is_finished"] is False
    listed = client.get("/api/transparency").json()
    assert listed["months"] == [{"period": MONTH, "is_finished": False}]
    assert "not finished" in client.get("/transparency").text
    assert f'href="/transparency/{MONTH}"' in client.get("/transparency").text
    for period in ("2999-01", "2020-01", "2026-13", "x"):
        assert client.get(f"/api/transparency/{period}").status_code == 404


def test_what_is_due_later_in_the_month_is_not_past_its_deadline(parts, client, happened):
    """Neither on the page, nor in the API, nor computed again from the export."""
    soon = utc_text(now() + timedelta(seconds=2))
    with parts.transaction() as session:
        body = make_body(session)
        person = signed_up(session, parts).account_id
        disclose = body.order("disclose", targets=people(person), complies_by=soon)
        moderation.submit_order(session, parts, disclose)
    integrate(parts)
    figures = told(client)["report"]["sections"]["orders"]["figures"]
    assert (figures["open_at_end"], figures["overdue_at_end"]) == (1, 0)
    assert "As the log stood on" in client.get(f"/transparency/{MONTH}").text


@pytest.mark.parametrize("period", ["2099-01", "2020-01"])
def test_the_command_has_no_report_of_months_that_the_log_has_not(
    parts, client, happened, tmp_path, period
):
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"".join(exported(parts)))
    ran = reelm("transparency", "report", "--month", period, "--log", file)
    assert (ran.status, ran.out) == (2, "")
    assert f"There is no report of {period}: the log goes from {MONTH} to {MONTH}." in ran.err


def test_its_help_shows_no_defaults_that_nobody_can_read():
    assert "()" not in reelm("transparency", "report", "--help").out


def test_every_chart_has_a_name_and_a_table(client, happened):
    page = client.get(f"/transparency/{MONTH}").text
    charts = page.count('<svg class="chart')
    assert charts >= 3
    assert charts == page.count('role="img" aria-label="')
    for beside in page.split('<div class="beside">')[1:]:
        assert "<table>" in beside
    assert page.count("<table>") > charts
