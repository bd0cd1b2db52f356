"""Entries of a log, as an export has them."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from reelm.proofs.leaf import Leaf, leaf_of_entry

NUMBERS = count(1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def entry(kind: str, when: str, **body: Any) -> Leaf:
    return leaf_of_entry(next(NUMBERS), kind, at(when), body)


def authority(name: str = "Demo Ministry", authority_id: str = "7") -> Leaf:
    fields = {"authority_id": authority_id, "name": name, "powers": [], "threshold": 1}
    return entry("regions.authority_added", "2026-01-01T00:00:00", **fields)


def order(order_id: str, when: str, **fields: Any) -> Leaf:
    body = {
        "order_id": order_id,
        "authority_id": "7",
        "order_kind": "remove",
        "basis": "Demo Act, section 1",
        "category": "general",
        "channel": "signed",
        "document_digest": "00" * 32,
        "subject_ids": ["5"],
        "order_ids": [],
        "countries": [],
        "interim": False,
        "received_at": f"{when}Z",
        "due_at": None,
    } | fields
    told = {name: value for name, value in body.items() if value is not None}
    return entry("regions.order_in_force", when, **told)


def grievance(number: str, when: str, **fields: Any) -> Leaf:
    body = {
        "grievance_id": number,
        "grievance_kind": "report",
        "reason": "spam",
        "target_kind": "video",
        "received_at": f"{when}Z",
    } | fields
    return entry("moderation.grievance_received", when, **body)


def resolved(number: str, when: str, in_time: str = "no_deadline") -> Leaf:
    fields = {"officer_id": "9", "outcome": "acted", "in_time": in_time}
    return entry("moderation.grievance_resolved", when, grievance_id=number, **fields)
