"""The kinds of jobs of this room; app.py says which function does each."""

from reelm.foundation.jobs import Task

# Waits, by trying again after growing pauses, until room videos has removed the objects.
FINISH_ERASURE = Task("accounts.finish_erasure", attempts=8)
RESUME_ERASURES = Task("accounts.resume_erasures", attempts=1)
SWEEP = Task("accounts.sweep", attempts=1)
