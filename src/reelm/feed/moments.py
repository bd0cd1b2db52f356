"""The ids of a moment: what was made since is found by the key, without an index on time."""

from datetime import datetime

from reelm.foundation.ids import EPOCH_MS, PROCESS_BITS, REGION_BITS, SEQUENCE_BITS


def first_id_at(moment: datetime) -> int:
    """Return the least id that may have been made at a moment or later."""
    ticks = int(moment.timestamp() * 1000) - EPOCH_MS
    return max(ticks, 0) << (REGION_BITS + PROCESS_BITS + SEQUENCE_BITS)
