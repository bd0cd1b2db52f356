"""What a test sees of the feed on the page."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

PATIENCE_S = 30.0

_LOOK = """() => {
  const box = document.querySelector(".feed").getBoundingClientRect();
  const middle = box.top + box.height / 2;
  const cards = [...document.querySelectorAll(".feed .card")];
  const at = cards.findIndex((card) => {
    const { top, bottom } = card.getBoundingClientRect();
    return top <= middle && middle < bottom;
  });
  if (at < 0) return null;
  const tell = (card) => {
    const video = card?.querySelector("video");
    if (!card) return null;
    return {
      id: card.dataset.id, position: Number(card.getAttribute("aria-posinset")),
      state: card.dataset.state ?? "", top: Math.round(card.getBoundingClientRect().top - box.top),
      has_video: Boolean(video), ready: video?.readyState ?? 0, time: video?.currentTime ?? 0,
      paused: video?.paused ?? true, muted: video?.muted ?? null,
      width: video?.videoWidth ?? 0, height: video?.videoHeight ?? 0,
      source: video?.currentSrc ?? "",
    };
  };
  return {
    ...tell(cards[at]), next: tell(cards[at + 1]),
    videos: document.querySelectorAll("video").length, cards: cards.length,
  };
}"""

# Corners of the frame that is shown now, as [red, green, blue].
_CORNERS = """(video) => {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0);
  const at = (x, y) => {
    const place = [Math.round(canvas.width * x), Math.round(canvas.height * y), 1, 1];
    return [...pen.getImageData(...place).data].slice(0, 3);
  };
  return {
    "top left": at(0.08, 0.08), "top right": at(0.92, 0.08),
    "bottom left": at(0.08, 0.92), "bottom right": at(0.92, 0.92),
  };
}"""


def poll(page: Page, look: Callable[[], Any], every_ms: int = 100) -> Any:
    """Return what `look` returns once that is something."""
    end = time.monotonic() + PATIENCE_S
    while True:
        if found := look():
            return found
        assert time.monotonic() < end, f"waited in vain on {page.url}"
        page.wait_for_timeout(every_ms)


def until(page: Page, look: Callable[[], Any]) -> Any:
    """Poll while the feed is on the page; say what it showed if that was in vain."""
    try:
        return poll(page, look, every_ms=40)
    except AssertionError as vain:
        raise AssertionError(f"{vain}; it shows {page.evaluate(_LOOK)}") from None


def shown(page: Page) -> dict[str, Any]:
    """Return what the current card and the next one are like."""
    seen = page.evaluate(_LOOK)
    assert seen is not None, "no card is in the middle of the feed"
    return dict(seen)


def playing(page: Page, beside: str | None = None) -> dict[str, Any]:
    """Wait until a card (another one than `beside`) rests in its place and its time runs on."""

    def look() -> dict[str, Any] | None:
        seen = page.evaluate(_LOOK)
        if not seen or seen["id"] == beside or seen["state"] != "playing" or abs(seen["top"]) > 1:
            return None
        return seen if seen["time"] > 0.05 and not seen["paused"] else None

    return dict(until(page, look))


def next_ready(page: Page) -> dict[str, Any]:
    """Wait until the next video could be shown at once."""

    def look() -> dict[str, Any] | None:
        seen = page.evaluate(_LOOK)
        return seen if seen and seen["next"] and seen["next"]["ready"] >= 2 else None

    return dict(until(page, look))


def red_corner(page: Page, selector: str) -> str:
    """Return which corner of a playing video is red."""
    corners = page.locator(selector).evaluate(_CORNERS)
    red = [name for name, colour in corners.items() if is_red(colour)]
    assert len(red) == 1, corners
    return str(red[0])


def is_red(colour: list[int]) -> bool:
    """Whether a colour is the box's, after lossy coding and tone mapping."""
    red, green, blue = colour
    return red > 110 and red > 2 * green and red > 2 * blue


CORNERS = _CORNERS
