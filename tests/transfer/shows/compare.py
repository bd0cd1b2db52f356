"""What may differ between two operators' answers, each with its reason, and what else does."""

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from tests.transfer.shows.asked import Answer, Answers

OPERATORS = (b"Test Operator", b"The Buyer")


class Expected(NamedTuple):
    """Where a difference is expected: in which fields or lines, and why."""

    endpoint: str
    field: str
    why: str


WHOLE = ""
# Everything that may differ. A new address, and a new field of an old one, has to be alike.
EXPECTED = (
    Expected(".*", r'^<a href="/transfer"><b>', "the line above pages: is being sold, was sold"),
    Expected(
        r"/api/me/notices|/notices",
        r"^\.notices\.0\.|class=.said|^From|^Until|^You can|card|^$",
        "the newest notice tells everybody that it is being sold, and then that it was",
    ),
    Expected("/api/transfers|/transfer|/region", WHOLE, "what this is about"),
    Expected(
        "/api/region",
        r"^\.(in_charge|transfer|handed_over|model|technology\.model|checkpoint|egress|data\.store)",
        "who is in charge, of which sale, with which model, log and machines",
    ),
    Expected(r".*audit.*|/.*transparency/.*|/metrics", WHOLE, "the log went on, with the move"),
    Expected("/api/feed/model|.*/why", WHOLE, "the model stayed with the seller"),
    Expected("/api/feed|/", "cursor=", "a cursor is encrypted by the region key"),
    Expected("/api/sessions|/settings", r"^\.sessions|<b>A browser", "sessions stay"),
    Expected("/api/me/export", r"json\.tables\.(session|upload)\b", "sessions and uploads stay"),
    Expected("/api/me/export", r"json\.made_at|region_key_version", "when, and by which key"),
    Expected("/api/me/export", "^feed-model.json.model", "the model stayed with the seller"),
    Expected("/api/staff/jobs|/jobs", WHOLE, "jobs stay: the buyer defers its own"),
    Expected("/api/staff/access-log|/staff/access-log", WHOLE, "what the staff reads is logged"),
    Expected("/console/orders/paper", "datetime-local", "the time when it was asked"),
    Expected("/console|/console/orders", "href=./console/orders/", "orders came in the freeze"),
)


def differences(before: Answers, after: Answers) -> list[str]:
    """Say of each answer that differs how, but for what is expected to."""
    told = [f"{key} was asked once" for key in before.keys() ^ after.keys()]
    for key, one in before.items():
        found = sorted(differing(one, after[key]))
        told += [f"{key}: {field}" for field in found if not is_expected(one.endpoint, field)]
    return told


def differing(one: Answer, other: Answer) -> set[str]:
    """Name the fields, or the lines, that are not in both answers, or not alike."""
    if one.status != other.status:
        return {f"status {one.status}, then {other.status}"}
    there, then = Counter(parts_of(one)), Counter(parts_of(other))
    return {*(there - then), *(then - there)}


def is_expected(endpoint: str, field: str, rules: Sequence[Expected] = EXPECTED) -> bool:
    """Whether this difference is on the list."""
    return any(
        re.fullmatch(rule.endpoint, endpoint) and re.search(rule.field, field) for rule in rules
    )


def parts_of(answer: Answer) -> Iterable[str]:
    """Yield what an answer consists of: fields with their values, or lines."""
    body = answer.body.replace(*OPERATORS)
    if answer.kind == "application/zip":
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            for name in archive.namelist():
                kind = "application/json" if name.endswith(".json") else "text/plain"
                member = answer._replace(kind=kind, body=archive.read(name))
                yield from (f"{name}{part}" for part in parts_of(member))
    elif answer.kind.endswith("json"):
        yield from (f"{path}={value!r}" for path, value in fields(json.loads(body)))
    else:
        yield from (line.strip() for line in body.decode("utf-8", "backslashreplace").splitlines())


def fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each leaf of a document with its path."""
    if value and isinstance(value, dict):
        for name, inner in value.items():
            yield from fields(inner, f"{path}.{name}")
    elif value and isinstance(value, list):
        for number, inner in enumerate(value):
            yield from fields(inner, f"{path}.{number}")
    else:
        yield path, value
