"""Swiping through the feed."""

import pytest
from playwright.sync_api import Page
from tests.browser.conftest import Opener
from tests.browser.house import CREATORS, DESKTOP, Visit
from tests.browser.playing import next_ready, playing, poll, red_corner, shown, until


def test_the_feed_plays_by_itself(guest: Visit) -> None:
    page = guest.go("/")
    first = playing(page)
    video = guest.api("GET", f"/api/videos/{first['id']}")
    assert (first["width"], first["height"]) == (video["width"], video["height"])
    until(page, lambda: shown(page)["time"] > first["time"] + 0.2)


def test_a_video_plays_on_its_page_the_right_size_and_way_up(guest: Visit) -> None:
    video = guest.api("GET", "/api/accounts/asha/videos")["videos"][0]
    page = guest.go(video["page_url"])
    seen = playing(page)
    assert seen["id"] == video["id"]
    assert (seen["width"], seen["height"]) == (180, 320)
    assert red_corner(page, ".card[data-state=playing] video") == "top left"


def by_keyboard(page: Page) -> None:
    page.keyboard.press("ArrowDown")


def by_touch(page: Page) -> None:
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *heights: int) -> None:
        points = [{"x": 195, "y": y} for y in heights]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 750)
    for height in range(710, 190, -40):
        touch("touchMove", height)
    touch("touchEnd")
    devtools.detach()


def by_wheel(page: Page) -> None:
    page.mouse.move(600, 400)
    page.mouse.wheel(0, 120)


def all_views(window: Visit) -> dict[str, int]:
    """Return how often each video was watched until now."""
    pages = (window.api("GET", f"/api/accounts/{handle}/videos") for handle in CREATORS)
    return {video["id"]: video["views"] for page in pages for video in page["videos"]}


@pytest.mark.parametrize("swipe", [by_keyboard, by_touch, by_wheel])
def test_ten_swipes_drop_and_repeat_nothing_and_the_next_is_always_ready(visit: Opener, swipe):
    window = visit(**(DESKTOP if swipe is by_wheel else {}))
    before = all_views(window)
    page = window.go("/")
    seen = [playing(page)["id"]]
    for number in range(1, 11):
        waiting = next_ready(page)["next"]
        assert waiting["paused"], "it plays before it is seen"
        swipe(page)
        now = playing(page, beside=seen[-1])
        assert now["id"] == waiting["id"]
        assert now["position"] == number + 1
        assert now["videos"] <= 3
        seen.append(now["id"])
    assert len(set(seen)) == 11

    # What has not been sent yet goes out on leaving.
    page.goto(window.address + "/terms")
    poll(page, lambda: all(v > before[i] for i, v in all_views(window).items() if i in seen))


def rest_on(page: Page, video_id: str) -> None:
    until(page, lambda: shown(page)["id"] == video_id)


def test_scrolling_back_finds_each_video_where_it_was_left(guest: Visit) -> None:
    page = guest.go("/")
    seen = [playing(page)["id"]]
    for _ in range(3):
        next_ready(page)
        by_keyboard(page)
        seen.append(playing(page, beside=seen[-1])["id"])
    left_at = until(page, lambda: (t := shown(page)["time"]) > 0.8 and t)
    for want in reversed(seen[:-1]):
        page.keyboard.press("ArrowUp")
        rest_on(page, want)
    for want in seen[1:]:
        page.keyboard.press("ArrowDown")
        rest_on(page, want)
    # At once: the clip is short and begins anew at its end.
    assert shown(page)["time"] >= left_at - 0.1


def test_the_keyboard_pauses_mutes_likes_and_seeks(member: Visit) -> None:
    page = member.go("/")
    video = playing(page)
    page.keyboard.press("Space")
    until(page, lambda: shown(page)["state"] == "paused" and shown(page)["paused"])
    at = shown(page)["time"]
    page.keyboard.press("ArrowRight")
    until(page, lambda: shown(page)["time"] != at)
    page.keyboard.press("Space")
    playing(page)

    assert shown(page)["muted"] is False
    page.keyboard.press("m")
    until(page, lambda: shown(page)["muted"] is True)
    page.keyboard.press("m")
    until(page, lambda: shown(page)["muted"] is False)

    page.keyboard.press("l")
    until(page, lambda: member.api("GET", f"/api/videos/{video['id']}")["is_liked"])
    page.keyboard.press("l")
    until(page, lambda: not member.api("GET", f"/api/videos/{video['id']}")["is_liked"])
    # The last of hasty presses counts, whatever is still on its way.
    with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        page.keyboard.press("l")
        page.keyboard.press("l")
    assert not member.api("GET", f"/api/videos/{video['id']}")["is_liked"]
    page.keyboard.press("ArrowDown")
    below = playing(page, beside=video["id"])
    page.keyboard.press("ArrowUp")
    assert playing(page, beside=below["id"])["id"] == video["id"]


def test_mute_is_remembered_over_a_reload(guest: Visit) -> None:
    page = guest.go("/")
    playing(page)
    page.get_by_role("button", name="Mute").first.click()
    until(page, lambda: shown(page)["muted"] is True)
    page.reload()
    assert playing(page)["muted"] is True
    page.get_by_role("button", name="Turn sound on").first.click()
    until(page, lambda: shown(page)["muted"] is False)


def test_a_saving_viewer_gets_no_video_before_it_is_wanted(visit: Opener) -> None:
    window = visit(extra_http_headers={"Save-Data": "on"})
    # Chromium's own switch for this sets the header and this property together.
    switch = "Object.defineProperty(navigator.connection, 'saveData', { get: () => true })"
    window.context.add_init_script(switch)
    asked: list[str] = []
    window.context.on("request", lambda r: asked.append(r.url) if "/media/" in r.url else None)
    page = window.go("/")
    first = playing(page)
    page.wait_for_timeout(1500)
    others = [url for url in asked if f"/media/{first['id']}/" not in url]
    assert others == []
    page.keyboard.press("ArrowDown")
    second = playing(page, beside=first["id"])
    moving = {url.split("/media/")[1].split("/")[0] for url in asked if url.endswith(".mp4")}
    assert moving == {first["id"], second["id"]}


def test_with_reduced_motion_a_swipe_does_not_glide(visit: Opener) -> None:
    page = visit(reduced_motion="reduce").go("/")
    first = playing(page)
    page.keyboard.press("ArrowDown")
    seen = shown(page)
    assert seen["id"] != first["id"]
    assert seen["top"] == 0
