"""What people do to each other's videos."""

from playwright.sync_api import expect
from tests.browser.conftest import Opener
from tests.browser.house import House, Visit
from tests.browser.playing import playing, poll, shown, until


def test_a_like_by_double_tap_is_there_after_a_reload(member: Visit, house: House) -> None:
    video = member.api("GET", "/api/accounts/asha/videos")["videos"][0]
    page = member.go(video["page_url"])
    playing(page)
    for _ in range(2):
        page.touchscreen.tap(195, 380)
    like = page.locator(".card [data-act=like]").first
    expect(like).to_have_attribute("aria-pressed", "true")
    until(page, lambda: member.api("GET", f"/api/videos/{video['id']}")["is_liked"])
    page.reload()
    playing(page)
    expect(like).to_have_attribute("aria-pressed", "true")
    assert shown(page)["state"] == "playing", "a double tap does not pause"
    like.click()
    until(page, lambda: not member.api("GET", f"/api/videos/{video['id']}")["is_liked"])


def test_following_somebody_fills_the_following_tab(member: Visit) -> None:
    page = member.go("/?tab=following")
    expect(page.get_by_role("heading", name="Nothing new from people you follow")).to_be_visible()
    video = member.api("GET", "/api/accounts/bora/videos")["videos"][0]
    page = member.go(video["page_url"])
    playing(page)
    page.get_by_role("button", name="Follow @bora").first.click()
    expect(page.get_by_role("button", name="Unfollow @bora").first).to_be_visible()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Following").click()
    playing(page)
    names = page.locator(".card .name").all_inner_texts()
    assert set(names) == {"@bora"}
    page.goto(member.address + "/@bora")
    page.get_by_role("button", name="Following").click()
    expect(page.get_by_role("button", name="Follow", exact=True)).to_be_visible()


def test_a_comment_is_written_changed_and_taken_back(member: Visit) -> None:
    video = member.api("GET", "/api/accounts/chen/videos")["videos"][0]
    page = member.go(video["page_url"])
    playing(page)
    page.keyboard.press("c")
    page.get_by_label("Your comment").fill("Which lens is this? <b>")
    page.get_by_role("button", name="Post comment").click()
    mine = page.locator("#comments-sheet li")
    expect(mine.locator(".text")).to_have_text("Which lens is this? <b>")
    mine.get_by_role("button", name="Edit").click()
    mine.get_by_label("Edit your comment").fill("Which lens was this?")
    mine.get_by_role("button", name="Save").click()
    expect(mine.locator(".text")).to_have_text("Which lens was this?")
    expect(mine.locator(".by")).to_contain_text("edited")
    page.keyboard.press("Escape")
    page.reload()
    playing(page)
    expect(page.locator("[data-act=comments] [data-comments]").first).to_have_text("1")
    page.keyboard.press("c")
    page.once("dialog", lambda dialog: dialog.accept())
    mine.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="No comments yet")).to_be_visible()
    assert member.api("GET", f"/api/videos/{video['id']}/comments")["comments"] == []


def test_a_private_account_lets_in_whom_it_accepts(visit: Opener, house: House) -> None:
    keeper, asker = visit(), visit()
    name = keeper.join()
    house.bring(name, [house.clips.plain(0)])
    page = keeper.go("/settings")
    page.get_by_role("switch", name="Private account").check()
    expect(page.locator("#toasts")).to_contain_text("Privacy saved")

    asker_name = asker.join()
    video = keeper.api("GET", "/api/me/videos")["videos"][0]
    other = asker.go(f"/@{name}")
    expect(other.get_by_role("heading", name="This account is private")).to_be_visible()
    asker.expect("404")
    assert asker.status(video["page_url"]) == 404
    asker.go(f"/@{name}")
    other.get_by_role("button", name="Follow", exact=True).click()
    expect(other.get_by_role("button", name="Requested")).to_be_visible()

    page = keeper.go("/settings")
    expect(page.get_by_text(f"@{asker_name}")).to_be_visible()
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("#toasts")).to_contain_text("Accepted")
    other = asker.go(f"/@{name}")
    expect(other.get_by_role("button", name="Following")).to_be_visible()
    other.locator(".tile").first.click()
    assert playing(other)["id"] == video["id"]


def test_blocking_hides_both_from_each_other(visit: Opener) -> None:
    one, two = visit(), visit()
    one_name, two_name = one.join(), two.join()
    page = one.go(f"/@{two_name}")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Block", exact=True).click()
    expect(page.get_by_role("button", name="Unblock")).to_be_visible()
    two.expect("404")
    assert two.status(f"/@{one_name}") == 404
    page.get_by_role("button", name="Unblock").click()
    poll(two.page, lambda: two.status(f"/@{one_name}") == 200)


def test_a_guest_who_likes_is_asked_to_join(guest: Visit) -> None:
    page = guest.go("/")
    playing(page)
    page.keyboard.press("l")
    expect(page.get_by_role("heading", name="Join in")).to_be_visible()
    page.get_by_role("link", name="Create an account").click()
    expect(page.get_by_role("heading", name="Create an account")).to_be_visible()


CAPTIONS = b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"


def test_ones_own_video_is_edited_and_deleted_on_the_feed(member: Visit, house: House) -> None:
    name = member.api("GET", "/api/me")["handle"]
    house.bring(name, [house.clips.plain(1)])
    video = member.api("GET", "/api/me/videos")["videos"][0]
    page = member.go(video["page_url"])
    playing(page)
    page.locator(".card [data-act=more]").first.click()
    page.get_by_role("button", name="Edit").click()
    page.locator("#edit-caption").fill("Said anew #anew")
    page.locator("#edit-track").set_input_files(
        {"name": "a.vtt", "mimeType": "text/vtt", "buffer": CAPTIONS}
    )
    page.locator("#edit-track-language").select_option("en")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".card .caption").first).to_have_text("Said anew #anew")
    edited = member.api("GET", f"/api/videos/{video['id']}")
    assert edited["hashtags"] == ["anew"]
    assert [track["language"] for track in edited["captions"]] == ["en"]
    page.locator(".card [data-act=more]").first.click()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete").click()
    poll(page, lambda: member.api("GET", "/api/me/videos")["videos"] == [])
    playing(page, beside=video["id"])
