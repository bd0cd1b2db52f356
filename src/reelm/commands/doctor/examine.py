"""All checks in their order, printed as they are made."""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psycopg
from rich.console import Console
from rich.text import Text

from reelm import app
from reelm.commands.doctor.check import Check, fail, guarded, reason, warn
from reelm.commands.doctor.contacts import check_contacts
from reelm.commands.doctor.database import check_database
from reelm.commands.doctor.egress import check_egress
from reelm.commands.doctor.files import (
    check_clock,
    check_disk,
    check_folders,
    check_keys,
    check_preservation,
)
from reelm.commands.doctor.media import check_ffmpeg, check_sandbox
from reelm.commands.doctor.objects import check_objects, check_store
from reelm.commands.doctor.serving import check_service
from reelm.commands.doctor.settings import check_settings
from reelm.foundation.config import Settings, load
from reelm.foundation.errors import BadSetting, ReelmError
from reelm.foundation.home import Home
from reelm.foundation.storage import ObjectStore, open_store

SIGNS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}
LOOK_AGAIN = "Mend what is above first, then run this again."
NO_DATABASE = (
    "For the embedded database look into logs/postgres.log; for your own one check database.url "
    "and that it takes connections from here."
)


def run(region: Path, *, as_json: bool) -> int:
    """Check the region, print each outcome, and return 1 if something is wrong."""
    console = Console(highlight=False)
    checks = []
    for check in examine(Home(region.resolve())):
        checks.append(check)
        if not as_json:
            _show(console, check)
    states = [check.state for check in checks]
    failed, warned = states.count("fail"), states.count("warn")
    if as_json:
        summary = {"is_well": not failed, "failed": failed, "warned": warned, "checks": checks}
        print(msgspec.json.encode(summary).decode())  # noqa: T201 - the output of the command
    else:
        console.print(_last_line(len(checks), failed, warned))
    return 1 if failed else 0


def examine(home: Home) -> Iterator[Check]:
    """Yield the outcome of each check."""
    yield from check_settings(home.path)
    yield check_keys(home)
    yield check_folders(home)
    try:
        settings = load(home.path)
    except BadSetting:
        yield warn("other parts", "They cannot be looked at while settings are wrong.", LOOK_AGAIN)
        return
    yield guarded("disk", LOOK_AGAIN, check_disk, home, settings)
    yield guarded("clock", LOOK_AGAIN, check_clock)
    yield guarded("contacts", LOOK_AGAIN, check_contacts, settings)
    yield guarded("ffmpeg", "Install it, or correct media.ffmpeg.", check_ffmpeg, settings)
    yield guarded("sandbox", LOOK_AGAIN, check_sandbox, home, settings)
    yield from check_egress(home, settings)
    store = open_store(settings.storage, home)
    yield guarded("object store", "Check the settings of section storage.", check_store, store)
    yield from _check_with_database(home, settings, store)
    yield guarded("service", LOOK_AGAIN, check_service, home, settings)


def _check_with_database(home: Home, settings: Settings, store: ObjectStore) -> Iterator[Check]:
    try:
        with app.owner_connection(home, settings, _say) as owner:
            yield from check_database(home, settings, owner)
            with psycopg.connect(owner, autocommit=True) as connection:
                yield guarded("preservation", LOOK_AGAIN, check_preservation, connection, home)
                yield guarded("objects", LOOK_AGAIN, check_objects, connection, store)
    except (ReelmError, psycopg.Error) as error:
        yield fail("database", reason(error), NO_DATABASE)


def _show(console: Console, check: Check) -> None:
    sign, colour = SIGNS[check.state]
    line = Text(f"{sign} ", colour).append(f"{check.name:<14}", "bold").append(check.sentence)
    console.print(line, soft_wrap=True)
    if check.mend:
        console.print(Text(f"  → {check.mend}", "dim"), soft_wrap=True)


def _last_line(count: int, failed: int, warned: int) -> Text:
    if failed:
        return Text(f"{failed} of {count} checks failed, {warned} warned.", "bold red")
    if warned:
        return Text(f"Nothing is wrong; {warned} of {count} checks warn.", "bold yellow")
    return Text(f"All {count} checks are well.", "bold green")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)  # noqa: T201 - told while the terminal waits
