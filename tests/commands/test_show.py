import msgspec
from tests.commands.factory import owner_of, reelm

from reelm.foundation.config import describe

REASON = "The video is damaged: parts of it cannot be decoded."


def test_jobs_are_listed_with_state_and_reason(region):
    with owner_of(region) as connection:
        row = connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts)"
            """ VALUES ('media', 'videos.shown', '{"video_id": 42}', 'failed', 3) RETURNING id"""
        ).fetchone()
        assert row is not None
        connection.execute("INSERT INTO job_report VALUES (%s, 0, %s, now())", [row[0], REASON])
        try:
            shown = reelm("jobs", "--region", region)
            listed = reelm("jobs", "--region", region, "--json", "--state", "failed").json()
            none = reelm("jobs", "--region", region, "--json", "--state", "running").json()
        finally:
            connection.execute("DELETE FROM procrastinate_jobs WHERE id = %s", row)
            connection.execute("DELETE FROM job_report WHERE job_id = %s", row)
    line = next(line for line in shown.out.splitlines() if "videos.shown" in line)
    for word in (str(row[0]), "video_id 42", "failed", "3", REASON):
        assert word in line
    assert "1 failed" in shown.out
    assert [job["reason"] for job in listed["jobs"]] == [REASON]
    assert listed["counts"]["failed"] == 1
    assert none["jobs"] == []


def test_an_unknown_state_is_refused_with_the_known_ones(region):
    ran = reelm("jobs", "--region", region, "--state", "broken")
    assert ran.status == 2
    assert "queued, running, failed, done" in ran.err


def test_every_setting_is_listed(tmp_path):
    shown, listed = reelm("settings"), msgspec.json.decode(reelm("settings", "--json").out)
    assert [(r["setting"], r["variable"], r["default"], r["meaning"]) for r in listed] == list(
        describe()
    )
    for row in describe():
        assert all(word in shown.out for word in row)
