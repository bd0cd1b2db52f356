"""The kinds of jobs of this room; app.py says which function does each."""

from reelm.foundation.jobs import Task

PUBLISH = Task("videos.publish", queue="publish")
MAKE_LADDER = Task("videos.make_ladder", queue="media")
REMOVE_OBJECTS = Task("videos.remove_objects")
ERASE_VIDEOS = Task("videos.erase_videos", attempts=5)
SWEEP = Task("videos.sweep", attempts=1)
