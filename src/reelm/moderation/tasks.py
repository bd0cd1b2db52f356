"""The kinds of jobs of this room; app.py says which function does each."""

from reelm.foundation.jobs import Task

TELL_AFFECTED = Task("moderation.tell_affected")
TELL_ENDED = Task("moderation.tell_ended")
RESUME_TELLING = Task("moderation.resume_telling", attempts=1)
