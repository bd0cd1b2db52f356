"""By when a grievance has to be acknowledged and resolved, as the policy pack says."""

from datetime import datetime, timedelta

import msgspec

from reelm.regions import PolicyPack

# The kinds for which a pack may ask for a faster end. A pack's own list speaks of laws and not of
# these reasons; where it could mean one, it counts as meant.
URGENT = frozenset({"nudity", "violence", "hate", "minor_safety", "illegal"})


class Deadlines(msgspec.Struct, frozen=True):
    """Two times, each None where the pack says nothing."""

    acknowledge_due_at: datetime | None
    resolve_due_at: datetime | None


def deadlines(pack: PolicyPack, *, reason: str, received_at: datetime) -> Deadlines:
    """Return when a grievance is due; it is kept with it, so that no later pack moves it."""
    within_h = pack.grievance_acknowledged_within_h.value
    within_days = pack.grievance_resolved_within_days.value
    urgent_h = pack.grievance_urgent_resolved_within_h.value if reason in URGENT else None
    ends = [
        received_at + time
        for time in (
            None if within_days is None else timedelta(days=within_days),
            None if urgent_h is None else timedelta(hours=urgent_h),
        )
        if time is not None
    ]
    return Deadlines(
        None if within_h is None else received_at + timedelta(hours=within_h),
        min(ends, default=None),
    )
