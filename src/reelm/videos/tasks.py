"""The kinds of jobs of this room; app.py says which function does each."""

from reelm.foundation.classes import Place, declare
from reelm.foundation.jobs import JOB_IDS, Task

# Queues of their own, so that a long encode keeps nobody's upload waiting.
PUBLISHING = declare(Place.QUEUE, "publish", "ids of uploads to make playable", JOB_IDS)
MEDIA = declare(Place.QUEUE, "media", "ids of videos to encode", JOB_IDS)

PUBLISH = Task("videos.publish", queue=PUBLISHING)
MAKE_LADDER = Task("videos.make_ladder", queue=MEDIA)
REMOVE_OBJECTS = Task("videos.remove_objects")
ERASE_VIDEOS = Task("videos.erase_videos", attempts=5)
SWEEP = Task("videos.sweep", attempts=1)
RESUME_PUBLISHING = Task("videos.resume_publishing", attempts=1)
