"""Clips of many kinds play in Chromium, the right way up, by both ways of streaming."""

from typing import Any

import pytest
from tests.browser.house import House, Visit
from tests.browser.playing import CORNERS, is_red

# kind -> size it is shown in, where the red corner is; square pixels, and never wider than it was
KINDS = {
    "mov": ((180, 320), "top left"),
    "mkv": ((180, 320), "top left"),
    "webm": ((180, 320), "top left"),
    "avi": ((180, 320), "top left"),
    "ogv": ((180, 320), "top left"),
    "10fps": ((180, 320), "top left"),
    "60fps": ((180, 320), "top left"),
    "hdr": ((180, 320), "top left"),
    "anamorphic": ((360, 198), "top left"),
    "sideways": ((320, 180), "top left"),
    "rotated90": ((180, 320), "bottom left"),
    "rotated180": ((320, 180), "bottom right"),
    "rotated270": ((180, 320), "top right"),
}
# Through the page's own module, hls.js included; a frame past the first one is looked at.
PLAY = f"""async ([video, progressive]) => {{
  const {{ attach, loadHls }} = await import("reelm/stream.js");
  await loadHls();
  const element = document.createElement("video");
  element.muted = true;
  document.body.append(element);
  const failed = new Promise((_, reject) => {{
    element.onerror = () => reject(new Error(element.error?.message ?? "refused"));
    setTimeout(() => reject(new Error(`stuck at ${{element.currentTime}}`)), 25000);
  }});
  let fatal = () => {{}};
  const broken = new Promise((_, reject) => {{
    fatal = (status) => reject(new Error(`status ${{status}}`));
  }});
  const stream = attach(element, video, {{ progressive, onFatal: fatal }});
  const played = (async () => {{
    await element.play();
    while (element.currentTime < 0.4) await new Promise((go) => setTimeout(go, 30));
    const corners = ({CORNERS})(element);
    return {{ kind: stream.kind, corners, width: element.videoWidth, height: element.videoHeight }};
  }})();
  try {{
    return await Promise.race([played, failed, broken]);
  }} finally {{
    stream.release();
    element.remove();
  }}
}}"""


@pytest.fixture(scope="module")
def odd(house: House) -> dict[str, str]:
    """Video ids by kind."""
    return dict(zip(KINDS, house.bring("odd", [house.clips(k) for k in KINDS]), strict=True))


@pytest.fixture
def page(guest: Visit) -> Visit:
    guest.go("/terms")
    return guest


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_plays_the_right_way_up(page: Visit, odd: dict[str, str], kind: str) -> None:
    (width, height), corner = KINDS[kind]
    video = page.api("GET", f"/api/videos/{odd[kind]}")
    for progressive in (False, True):
        seen: dict[str, Any] = page.page.evaluate(PLAY, [video, progressive])
        assert seen["kind"] == ("progressive" if progressive else "hls")
        red = [name for name, colour in seen["corners"].items() if is_red(colour)]
        assert red == [corner], seen
        assert abs(seen["width"] - width) <= 2
        assert abs(seen["height"] - height) <= 2
        assert (video["width"], video["height"]) == pytest.approx((width, height), abs=2)
    assert all(r["width"] <= width + 2 for r in video["renditions"])
