"""`reelm egress`: rules for exactly what settings name, and which layers hold."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.commands.factory import reelm
from tests.commands.served import Served, until
from tests.foundation.egress.leaks import leak

from reelm.foundation.database.embedded import running
from reelm.foundation.egress import tally
from reelm.foundation.egress.confined import Order
from reelm.foundation.egress.filters import LOCAL_FAMILIES
from reelm.foundation.egress.tally import Refusal, Tally
from reelm.foundation.home import Home
from reelm.foundation.parts import Parts
from reelm.regions.egress import MOST_KINDS, Recorder, refusal_counts

DATABASE = "postgresql://o:p@198.51.100.7:5433/x"
STORE = {
    "REELM_STORAGE_URL": "s3://bucket/prefix",
    "REELM_STORAGE_S3_ENDPOINT": "https://[2001:db8:5::1]:9000",
}


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELM_DATABASE_URL", DATABASE)
    for name, value in STORE.items():
        monkeypatch.setenv(name, value)


def test_rules_allow_what_settings_name_and_nothing_else(home: Home, remote: None) -> None:
    made = reelm("egress", "rules", "--region", home.path, "--user", "reelm", "--json").json()
    assert made["allowed"] == [["198.51.100.7", 5433], ["2001:db8:5::1", 9000]]
    ways = [line.strip() for line in made["nftables"].splitlines() if "daddr" in line]
    assert ways == [
        "meta skuid reelm ip daddr 198.51.100.7 tcp dport 5433 accept",
        "meta skuid reelm ip6 daddr 2001:db8:5::1 tcp dport 9000 accept",
    ]
    allowed = [line for line in made["systemd"].splitlines() if line.startswith("IPAddressAllow")]
    assert [line.partition("=")[2] for line in allowed] == [
        "localhost",
        "198.51.100.7",
        "2001:db8:5::1",
    ]


def test_a_local_region_is_allowed_nothing(home: Home) -> None:
    assert reelm("egress", "rules", "--region", home.path, "--json").json()["allowed"] == []


def test_a_name_is_not_looked_up_unasked(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELM_DATABASE_URL", "postgresql://o:p@db.example/x")
    ran = reelm("egress", "rules", "--region", home.path)
    assert ran.status == 2
    assert "database.url gives the name db.example" in ran.err


# In a network of its own, where a packet that leaves comes to nobody.
TRY_RULES = """
import subprocess, sys
from reelm.commands.prove import namespace
from reelm.foundation.egress.outside import try_outside
from reelm.foundation.errors import ReelmError
try:
    namespace.enter()
except ReelmError as error:
    sys.exit(print("cannot:", error.sentence))
print(try_outside())
subprocess.run(["nft", "-f", "-"], input=sys.argv[1], text=True, check=True)
print(try_outside())
"""


@pytest.mark.skipif(not shutil.which("nft"), reason="there is no nft here")
@pytest.mark.skipif(os.geteuid() != 0, reason="rules are loaded by root")
def test_the_rules_hold_and_their_lack_is_found(home: Home, remote: None) -> None:
    made = reelm("egress", "rules", "--region", home.path, "--user", "0", "--json").json()
    ran = subprocess.run(
        [sys.executable, "-c", TRY_RULES, made["nftables"]],
        capture_output=True,
        text=True,
        check=True,
    )
    if ran.stdout.startswith("cannot"):
        pytest.skip(ran.stdout)
    assert ran.stdout.split() == ["left", "refused"], ran.stderr


def test_layers_are_off_where_nothing_is_served(home: Home) -> None:
    layers = reelm("egress", "layers", "--region", home.path, "--json").json()
    assert [(layer["letter"], layer["state"]) for layer in layers] == [
        ("a", "off"),
        ("b", "off"),
        ("c", "not needed"),
    ]


def test_the_doctor_tries_the_filter(region: Path) -> None:
    checks = {
        check["name"]: check["state"]
        for check in reelm("doctor", "--region", region, "--json").json()["checks"]
    }
    assert {checks[f"egress {letter}"] for letter in "abc"} == {"ok"}


def test_the_doctor_finds_a_filter_that_holds_nothing(
    region: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelm.commands.doctor.egress.serving_order", lambda settings: Order())
    ran = reelm("doctor", "--region", region, "--json")
    assert ran.status == 1
    (check,) = [one for one in ran.json()["checks"] if one["name"] == "egress b"]
    assert "could make a socket: AF_INET, AF_INET6" in check["sentence"]


def test_a_served_region_is_under_its_layers_and_leaves_no_core(served: Served) -> None:
    region = served.home

    def both() -> list[Any]:
        told = [json.loads(p.read_text()) for p in (region / "egress").glob("held-*.json")]
        held = [one for one in told if Path(f"/proc/{one['pid']}").exists()]
        return held if {one["process"] for one in held} == {"web", "worker"} else []

    held = until(both)  # the web answers before the worker has begun
    layers = reelm("egress", "layers", "--region", region, "--json").json()
    assert [layer["state"] for layer in layers] == ["on", "on", "not needed"]
    for one in held:
        limits = Path(f"/proc/{one['pid']}/limits").read_text("ascii")
        assert "Max core file size        1                    1" in limits
        status = Path(f"/proc/{one['pid']}/status").read_text("ascii")
        assert "Seccomp:\t2" in status
        assert "NoNewPrivs:\t1" in status


def test_refusals_are_counted_at_once_and_logged_without_a_flood(parts: Parts) -> None:
    counting = Tally(parts.home.path)
    (parts.home.path / tally.FOLDER).mkdir(exist_ok=True)
    recorder = Recorder(parts)
    for round_ in range(3):
        for port in range(200):
            for _ in range(3):
                counting.count(Refusal("web", "a", "connect", f"192.0.2.1:{port + round_}"))
        counting.write()
        recorder.collect()
    assert refusal_counts(parts.home.path) == {("a", "web"): 1800}
    with psycopg.connect(parts.database.conninfo) as connection:
        query = "SELECT body FROM audit_entry WHERE kind = 'egress.refused'"
        bodies = [row[0] for row in connection.execute(query)]
    assert 1 < len(bodies) <= MOST_KINDS + 1
    assert len({body["to"] for body in bodies}) == len(bodies), "each once an hour"


def test_counting_never_waits() -> None:
    counting = Tally(Path("/nonexistent"))
    with counting._lock:
        counting.count(Refusal("web", "a", "connect", "192.0.2.1:80"))
    assert not counting._counts


# An extension that is not installed cannot even be asked for.
REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)


def test_the_serving_role_can_make_the_database_run_nothing(parts: Parts) -> None:
    """A program of PostgreSQL's would be the helper that has what the web has not."""
    with psycopg.connect(parts.database.conninfo, autocommit=True) as connection:
        for statement in (
            "COPY video FROM PROGRAM 'true'",
            "COPY video TO PROGRAM 'true'",
            "COPY video TO '/tmp/leak'",
            "CREATE EXTENSION dblink",
            "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc.so.6', 'getpid'",
            "CREATE SUBSCRIPTION s CONNECTION 'host=192.0.2.1' PUBLICATION p",
            "SELECT pg_read_file('/etc/passwd')",
            "SET ROLE pg_execute_server_program",
        ):
            with pytest.raises(
                (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)
            ):
                connection.execute(statement)


def test_what_a_superuser_makes_the_database_run_has_no_socket_either(region: Path) -> None:
    code = "import socket; socket.socket()"
    assert "permitted" in leak(code, 0, Order(families=LOCAL_FAMILIES))
    with running(region) as server, psycopg.connect(server.conninfo()) as connection:
        connection.execute("CREATE TEMPORARY TABLE said (line text)")
        # Bash makes a TCP connection of such a path by itself.
        program = "bash -c 'exec 3<>/dev/tcp/127.0.0.1/9' 2>&1 || true"
        connection.execute(f"COPY said FROM PROGRAM '{program.replace(chr(39), chr(39) * 2)}'")
        said = " ".join(str(row[0]) for row in connection.execute("SELECT line FROM said"))
    assert "Operation not permitted" in said
