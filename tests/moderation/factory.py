"""Grievances and readers for tests."""

import msgspec

from reelm import accounts, moderation, regions
from reelm.regions import Fact

ADDRESS = "198.51.100.7"


def sent(session, parts, reporter_id=None, address=ADDRESS, **changed) -> moderation.Receipt:
    """Send a grievance."""
    fields = {"target_kind": "video", "target_id": 42, "reason": "illegal"}
    new = moderation.NewGrievance(**{**fields, **changed})
    return moderation.receive_grievance(
        session, parts, new, reporter_id=reporter_id, address=address
    )


def reader(role="officer", account_id=5, purpose="handling grievances", country="IN"):
    """A staff member who has said for what they read."""
    return accounts.Reader(account_id, role, purpose, 77, country)


def with_deadlines(monkeypatch, *, acknowledge_h=24, resolve_days=7, urgent_h=None) -> None:
    """Let the policy pack ask for these times."""

    def fact(value):
        if value is None:
            return Fact(unset="not in this test")
        return Fact(value=value, source="a test", read_on="2026-11")

    pack = msgspec.structs.replace(
        regions.load_pack("neutral"),
        grievance_acknowledged_within_h=fact(acknowledge_h),
        grievance_resolved_within_days=fact(resolve_days),
        grievance_urgent_resolved_within_h=fact(urgent_h),
    )
    monkeypatch.setattr(regions, "load_pack", lambda _: pack)
