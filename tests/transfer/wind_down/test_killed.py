"""kill -9 anywhere, then again: the same end."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.commands.factory import reelm
from tests.transfer.wind_down.factory import (
    SECRET,
    Seller,
    certificate_of,
    down,
    everything,
    lines_of,
    options,
)

from reelm.proofs import certificate as form

KILLED = Path(__file__).with_name("killed.py")


def killed(seller: Seller, place: str, number: int) -> bool:
    """Wind down until it is killed at a place; False: it came to its end."""
    root = Path(__file__).parents[3]
    path = os.pathsep.join([str(root / "src"), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, str(KILLED), place, str(number), *map(str, options(seller))],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in {0, -signal.SIGKILL}, ran.stderr
    return ran.returncode == -signal.SIGKILL


def check_end(seller: Seller) -> None:
    """It is as if nobody had killed it."""
    left = everything(seller.home.parent)
    assert SECRET.encode() not in left
    assert [path.name for path in (seller.home / "keys").iterdir()] == ["operator-ed25519.pem"]
    stated = certificate_of(seller)
    assert set(form.REQUIRED_COPIES) <= {copy.name for copy in stated.register}
    assert {copy.outcome for copy in stated.register} == {"destroyed"}
    assert any(copy.name.startswith("backup saved ") for copy in stated.register)
    assert all(probe.passed for probe in stated.probes)
    before = {probe.name for probe in stated.probes if probe.phase == "before"}
    assert {"session", "password", "staff", "sealed-canary", "plain-canary"} <= before
    ended = {key.name for key in stated.custody if key.outcome == "destroyed"}
    assert {"region-key", "database-app", "database-owner", "preservation.age"} <= ended
    assert not seller.backup.exists()


@pytest.fixture
def saved(seller: Seller) -> Seller:
    """A seller with a backup."""
    assert reelm("backup", seller.backup, "--region", seller.home).status == 0
    return seller


def test_killed_again_and_again_it_comes_to_the_same_end(saved):
    """Each run may write some lines more than the one before, so that it dies at other places."""
    kills = 0
    while killed(saved, "line", 3 + 9 * kills):
        kills += 1
    assert kills >= 3
    check_end(saved)


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("torn line", 20),
        ("key", 3),
        ("cluster", 1),
        ("object", 1),
        ("backup", 1),
        ("backup's key", 2),
    ],
)
def test_killed_in_the_middle_of_something(saved, place, number):
    assert killed(saved, place, number)
    ran = down(saved)
    assert ran.status == 0, ran.out + ran.err
    check_end(saved)


def test_a_half_removed_backup_counts_as_destroyed_by_us_alone(saved):
    """One that somebody else took away is not said to be destroyed."""
    shutil.rmtree(saved.backup)
    ran = down(saved)
    assert ran.status == 1
    assert "declare what became of it" in ran.out
    lost = [line for line in lines_of(saved) if line.facts.get("is_lost")]
    assert len(lost) == 1
