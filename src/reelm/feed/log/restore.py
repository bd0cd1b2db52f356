"""A ranker made of the newest snapshot that can be used."""

import logging

from reelm.feed.learner import Learner, Make
from reelm.feed.log import snapshots
from reelm.foundation.logs import Line
from reelm.foundation.parts import Parts

log = logging.getLogger(__name__)
OTHER_RELEASE = Line("the snapshot at {seq} is not of this release: {error}")


def restored(parts: Parts, make: Make) -> tuple[Learner, int]:
    """Return a ranker, and the number of the last signal that it has learned from.

    It knows nothing, and the number is 0, where no snapshot can be used.
    """
    for snapshot, state in snapshots.loadable(parts):
        try:
            return make(state), snapshot.seq
        except Exception as error:  # noqa: BLE001 - of another release: anything may be missing
            log.warning(OTHER_RELEASE(seq=snapshot.seq, error=error))
    return make(None), 0
