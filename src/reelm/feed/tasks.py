"""The kinds of jobs of this room; app.py says which function does each."""

from reelm.foundation.jobs import Task

FORGET_IDLE = Task("feed.forget_idle", attempts=2)
KEEP_LOG = Task("feed.keep_log", attempts=5)
FORGET_ACCOUNT = Task("feed.forget_account", attempts=5)
