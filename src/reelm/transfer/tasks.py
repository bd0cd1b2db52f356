"""The kinds of jobs of this room."""

from reelm.foundation.jobs import Task

END_GRANTS = Task("transfer.end_grants")
