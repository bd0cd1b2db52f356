"""How a viewer steers the feed, and looks back."""

import json

from playwright.sync_api import Page, Request, Response, expect
from tests.browser.house import TAGGED, Visit
from tests.browser.playing import next_ready, playing, poll, shown, until


def choose(page: Page, name: str) -> None:
    """Press an entry behind the three dots of the video that plays."""
    page.locator(".card[data-state=playing] [data-act=more]").click()
    page.locator("#more-sheet").get_by_role("button", name=name).click()


def test_what_is_not_wanted_goes_at_once_and_comes_back_by_undo(member: Visit) -> None:
    page = member.go("/")
    first = playing(page)
    choose(page, "Not interested")
    assert playing(page, beside=first["id"])["position"] == 1
    expect(page.locator("#toasts")).to_contain_text("less like this")
    assert hidden(member) == [("video", first["id"])]
    page.get_by_role("button", name="Undo").click()
    until(page, lambda: shown(page)["id"] == first["id"])
    playing(page)
    assert hidden(member) == []

    video = member.api("GET", f"/api/videos/{first['id']}")
    handle = video["creator"]["handle"]
    choose(page, f"Hide @{handle}")
    playing(page, beside=first["id"])
    expect(page.locator("#toasts")).to_contain_text(f"@{handle} is hidden")
    for _ in range(4):
        now = next_ready(page)
        page.keyboard.press("ArrowDown")
        playing(page, beside=now["id"])
    assert f"@{handle}" not in page.locator(".card .name").all_inner_texts()

    choose(page, "Why am I seeing this?")
    sentence = page.locator("#why-sheet [data-sentence]")
    poll(page, lambda: sentence.inner_text().endswith("."))
    page.locator("#why-sheet").get_by_role("link", name="Your feed").click()
    page.get_by_role("button", name="again", exact=False).first.click()
    expect(page.locator("#toasts")).to_contain_text("Shown again")
    assert hidden(member) == []


def hidden(window: Visit) -> list[tuple[str, str]]:
    found = window.api("GET", "/api/feed/hidden")["hidden"]
    return [(one["kind"], one["subject"]) for one in found]


def test_choices_are_kept_until_a_reset_and_what_was_switched_off_stays_off(member: Visit) -> None:
    page = member.go("/settings/feed")
    page.get_by_label("Variety").fill("0.9")
    expect(page.locator("#toasts")).to_contain_text("Saved")
    page.get_by_role("switch", name="Pause history").check()
    page.get_by_role("switch", name="Made from what you watch").uncheck()
    poll(page, lambda: not member.api("GET", "/api/feed/settings")["is_profiled"])
    page.reload()
    expect(page.get_by_label("Variety")).to_have_value("0.9")
    expect(page.get_by_role("switch", name="Pause history")).to_be_checked()
    page.goto(member.address + "/")
    expect(page.locator(".feed-notice")).to_contain_text("not made from what you watch")

    page.goto(member.address + "/settings/feed")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Reset my feed").click()
    expect(page.get_by_label("Variety")).to_have_value("0.5")
    expect(page.get_by_role("switch", name="Pause history")).to_be_checked()
    expect(page.get_by_role("switch", name="Made from what you watch")).not_to_be_checked()


def test_each_watch_is_in_before_more_is_asked_for_and_history_forgets_what_is_deleted(
    member: Visit,
) -> None:
    told: list[str] = []
    watches: list[dict[str, int]] = []

    def on_request(request: Request) -> None:
        if request.url.endswith("/api/watches"):
            told.append("out")
            watches.extend(json.loads(request.post_data or "{}")["watches"])
        if "/api/feed?" in request.url:
            told.append("ask")

    def on_answer(response: Response) -> None:
        if response.url.endswith("/api/watches"):
            told.append("in")

    page = member.go("/")
    page.on("request", on_request)
    page.on("response", on_answer)
    seen = [playing(page)["id"]]
    for _ in range(5):
        next_ready(page)
        page.keyboard.press("ArrowDown")
        seen.append(playing(page, beside=seen[-1])["id"])
    assert "ask" in told
    for place in (place for place, word in enumerate(told) if word == "ask"):
        assert told[:place].count("out") == told[:place].count("in") > 0
    assert [one["video_id"] for one in watches] == seen[:-1]
    assert min(one["watched_ms"] for one in watches) < 2000, "a skip is told as well"

    page.goto(member.address + "/history")
    rows = page.locator(".history li")
    poll(page, lambda: page.reload() and rows.count() == len(seen))
    expect(rows.first.locator("a").first).to_have_attribute("href", f"/{path_of(member, seen[-1])}")
    rows.first.get_by_role("button", name="Forget").click()
    expect(rows).to_have_count(len(seen) - 1)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete my history").click()
    expect(page.get_by_role("heading", name="Nothing watched yet")).to_be_visible()
    assert member.api("GET", "/api/me/history")["watches"] == []


def path_of(window: Visit, video_id: str) -> str:
    return str(window.api("GET", f"/api/videos/{video_id}")["page_url"]).removeprefix("/")


def test_popular_is_chosen_by_topic_and_the_feed_offers_topics_once(guest: Visit) -> None:
    page = guest.go("/")
    playing(page)
    page.get_by_role("navigation", name="Feeds").get_by_role("link", name="Popular").click()
    playing(page)
    expect(page.locator(".feed-notice")).to_contain_text("not made from what you watch")
    page.get_by_label("Topic").select_option("rivers")
    page.wait_for_url("**topic=rivers*")
    playing(page)
    expect(page.locator(".card .caption")).to_have_text(TAGGED)

    page.goto(guest.address + "/")
    popular = page.get_by_role("navigation", name="Feeds").get_by_role("link", name="Popular")
    expect(popular).to_have_attribute("href", "/?tab=popular&topic=rivers")
    for _ in range(2):
        now = next_ready(page)
        page.keyboard.press("ArrowDown")
        playing(page, beside=now["id"])
    offer = page.locator(".topic-offer")
    offer.get_by_role("checkbox", name="#rivers").check()
    offer.get_by_role("button", name="Show me these").click()
    expect(offer).to_have_count(0)
    assert guest.api("GET", "/api/feed/settings")["topics"] == ["rivers"]
