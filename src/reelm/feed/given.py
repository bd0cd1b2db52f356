"""What was given out and may not have been seen yet, and why it was given out.

Two tabs of one viewer get different videos: what one tab was given is kept from the other until
its impressions are in the log, or the tab says that it will not show them.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from reelm.feed.ranker import Pick

# A page whose impressions did not arrive by then was lost on its way.
RESERVED_S = 60.0
# Reasons of a viewer's last pages: what somebody may still be looking at.
MOST_REASONS = 60
# Pages of a viewer that can be asked for again: a response that was lost on its way is.
MOST_PAGES = 8
# Viewers of whom anything is kept; some kilobytes each.
MOST_VIEWERS = 20_000


class Why(NamedTuple):
    """Why a video was given out: its source, and the strongest reasons with their weight."""

    source: str
    reasons: tuple[tuple[str, float], ...] = ()


class _Viewer:
    def __init__(self) -> None:
        self.until: dict[int, float] = {}  # video -> monotonic time
        self.reasons: OrderedDict[int, Why] = OrderedDict()
        self.pages: OrderedDict[int, list[Pick]] = OrderedDict()


class Given:
    """Videos given out, by viewer. Not safe for threads: its owner locks."""

    def __init__(self) -> None:
        self._viewers: OrderedDict[int, _Viewer] = OrderedDict()

    def reserved(self, viewer_id: int) -> frozenset[int]:
        """Return the ids that the viewer's other tabs were given just now."""
        viewer = self._viewers.get(viewer_id)
        if viewer is None or not viewer.until:
            return frozenset()
        moment = time.monotonic()
        viewer.until = {video: until for video, until in viewer.until.items() if until > moment}
        return frozenset(viewer.until)

    def page(self, viewer_id: int, page_id: int) -> list[Pick] | None:
        """Return the picks that were given out for this page before, if it is remembered.

        Picks whose impression is in the log say so, or is on its way there with the first answer.
        """
        viewer = self._viewers.get(viewer_id)
        if viewer is None or page_id not in viewer.pages:
            return None
        lost, moment = set[int](), time.monotonic()
        for video, until in viewer.until.items():
            if until <= moment:
                lost.add(video)
        return [pick._replace(known=pick.video_id not in lost) for pick in viewer.pages[page_id]]

    def reserve(self, viewer_id: int, picks: Sequence[Pick], page_id: int = 0) -> None:
        """Keep picks from other tabs, and remember their reasons and their page."""
        viewer = self._viewers.get(viewer_id)
        if viewer is None:
            viewer = self._viewers[viewer_id] = _Viewer()
        self._viewers.move_to_end(viewer_id)
        if page_id and picks:
            viewer.pages[page_id] = list(picks)
            if len(viewer.pages) > MOST_PAGES:
                viewer.pages.popitem(last=False)
        until = time.monotonic() + RESERVED_S
        for pick in picks:
            viewer.until[pick.video_id] = until
            viewer.reasons[pick.video_id] = Why(pick.source, pick.reasons)
            viewer.reasons.move_to_end(pick.video_id)
        while len(viewer.reasons) > MOST_REASONS:
            viewer.reasons.popitem(last=False)
        while len(self._viewers) > MOST_VIEWERS:
            self._viewers.popitem(last=False)

    def release(self, viewer_id: int, video_ids: Iterable[int]) -> None:
        """Let videos be given out again, or not, by what the log says of them."""
        viewer = self._viewers.get(viewer_id)
        if viewer is not None and viewer.until:
            for video_id in video_ids:
                viewer.until.pop(video_id, None)

    def why(self, viewer_id: int, video_id: int) -> Why | None:
        """Return why the viewer was given a video lately, if it is remembered."""
        viewer = self._viewers.get(viewer_id)
        return None if viewer is None else viewer.reasons.get(video_id)

    def forget(self, viewer_id: int) -> None:
        """Forget all of a viewer."""
        self._viewers.pop(viewer_id, None)
