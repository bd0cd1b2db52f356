"""The kinds of jobs of this room; app.py says which function does each."""

from reelm.foundation.jobs import Task

INTEGRATE = Task("audit.integrate", attempts=1)
