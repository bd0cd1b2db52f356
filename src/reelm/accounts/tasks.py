"""The kinds of jobs of this room; app.py says which function does each."""

from reelm.foundation.classes import Place, declare
from reelm.foundation.jobs import JOB_IDS, Task

# Waits, by trying again after growing pauses, until room videos has removed the objects.
FINISH_ERASURE = Task("accounts.finish_erasure", attempts=8)
# What is asked for once a region that is sold was sealed; whoever runs it then does it.
ERASE_LATER = Task("accounts.erase_later")
# Copies of accounts for legal orders, which take as long as their media.
COPYING = declare(Place.QUEUE, "copies", "ids of orders and accounts that are copied", JOB_IDS)
MAKE_COPIES = Task("accounts.make_copies", COPYING, attempts=8)
COPY_BEFORE_ERASURE = Task("accounts.copy_before_erasure", COPYING, attempts=8)
DESTROY_COPIES = Task("accounts.destroy_copies", attempts=8)
RESUME_COPIES = Task("accounts.resume_copies", attempts=1)
RESUME_ERASURES = Task("accounts.resume_erasures", attempts=1)
SWEEP = Task("accounts.sweep", attempts=1)
