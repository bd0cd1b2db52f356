"""From a new account to one's own video in the feed, over a connection that breaks."""

import re
import secrets

from playwright.sync_api import FilePayload, Page, expect
from tests.browser.conftest import Opener
from tests.browser.house import House, Visit
from tests.browser.playing import playing, poll, red_corner, shown, until
from tests.browser.proxy import Wire

UP_BYTES_PER_S = 1_500_000


def sign_up_by_the_page(window: Visit, handle: str) -> Page:
    page = window.go("/")
    page.get_by_role("link", name="Join").click()
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("Password", exact=True).fill("correct horse battery")
    page.get_by_label("Date of birth").fill("1990-05-17")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="You are in")).to_be_visible()
    codes = page.locator(".codes li").all_inner_texts()
    assert len(set(codes)) == 10
    page.get_by_role("link", name="I have kept them").click()
    return page


def test_a_new_person_uploads_over_a_broken_connection_and_sees_it_in_the_feed(
    house: House, visit: Opener
) -> None:
    clip = house.clips("heavy")
    size = clip.stat().st_size
    wire = Wire(house.served.port, UP_BYTES_PER_S)
    window = visit(wire.address)
    window.expect("/api/uploads/", "net::ERR_")
    page = sign_up_by_the_page(window, f"traveller_{secrets.token_hex(2)}")
    page.get_by_role("link", name="Upload").first.click()
    before = wire.sent_up
    page.locator("#file").set_input_files(clip)
    poll(page, lambda: wire.sent_up - before > size * 0.4, every_ms=20)
    wire.cut()
    status = page.locator("[data-status]")
    expect(status).to_contain_text("Connection lost", timeout=30_000)
    page.get_by_label("Caption").fill("Back from the hills #hills")
    page.get_by_role("button", name="Post").click()
    wire.mend()

    live = page.get_by_role("heading", name="It is live")
    live.wait_for(timeout=60_000)
    # Resumed, not begun again: twice the file would have gone over the wire otherwise.
    assert wire.sent_up - before < size * 1.45
    path = page.get_by_role("link", name="Watch it").get_attribute("href")
    assert path is not None

    page.goto(window.address + "/")
    seen = playing(page)
    for _ in range(10):
        if path.endswith(seen["id"]):
            break
        page.keyboard.press("ArrowDown")
        seen = playing(page, beside=seen["id"])
    assert path.endswith(seen["id"]), "it is not among the first ten of its maker's own feed"
    assert (seen["width"], seen["height"]) == (360, 640)
    assert red_corner(page, ".card[data-state=playing] video") == "top left"
    expect(page.locator(".card[data-state=playing] .tag")).to_have_text("#hills")
    until(page, lambda: shown(page)["time"] > seen["time"] + 0.2)
    window.context.close()
    wire.close()


def test_a_file_that_is_no_video_is_refused_before_a_byte_is_sent(member: Visit) -> None:
    page = member.go("/upload")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    for name, data, words in (
        ("notes.txt", b"not a film", "is not a video"),
        ("empty.mp4", b"", "is empty"),
    ):
        picked: FilePayload = {"name": name, "mimeType": "", "buffer": data}
        page.locator("#file").set_input_files(picked)
        expect(page.locator("[data-error]")).to_contain_text(words)
    assert [url for url in sent if "/api/" in url] == []


def test_text_that_calls_itself_a_video_says_why_it_failed(member: Visit) -> None:
    page = member.go("/upload")
    picked: FilePayload = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"words " * 2000}
    page.locator("#file").set_input_files(picked)
    page.get_by_label("Caption").fill("Not really")
    page.get_by_role("button", name="Post").click()
    # The file is refused at its last byte, or when it is looked at: either way with a sentence.
    member.expect("/api/uploads/", "/api/videos/")
    failed = page.get_by_role("heading", name="That did not work")
    refused = page.locator("[data-error]")
    poll(page, lambda: failed.is_visible() or refused.is_visible())
    words = refused.inner_text() if refused.is_visible() else page.inner_text("[data-posted-text]")
    assert re.search(r"video|read", words)


def test_a_reload_in_the_middle_of_an_upload_goes_on_with_file_and_words(
    house: House, visit: Opener
) -> None:
    wire = Wire(house.served.port, UP_BYTES_PER_S / 2)
    window = visit(wire.address)
    window.join()
    page = window.go("/upload")
    before = wire.sent_up
    page.locator("#file").set_input_files(house.clips("heavy"))
    page.get_by_label("Caption").fill("Kept over a reload")
    poll(page, lambda: wire.sent_up - before > 600_000, every_ms=20)
    page.wait_for_timeout(600)
    page.reload()
    expect(page.get_by_label("Caption")).to_have_value("Kept over a reload")
    wire.bytes_per_s = 50_000_000
    page.locator("label.choice", has_text="Only you").click()
    page.get_by_role("button", name="Post").click()
    page.get_by_role("heading", name="It is live").wait_for(timeout=60_000)
    mine = window.api("GET", "/api/me/videos")["videos"]
    assert [(v["caption"], v["audience"]) for v in mine] == [("Kept over a reload", "private")]
    window.context.close()
    wire.close()
