"""What a person changes about their account, and how they leave."""

import zipfile
from pathlib import Path

from playwright.sync_api import expect
from tests.browser.conftest import Opener
from tests.browser.house import PASSWORD, House, Visit
from tests.browser.playing import poll


def test_the_profile_says_what_was_saved(member: Visit, tmp_path: Path, house: House) -> None:
    page = member.go("/settings")
    page.get_by_label("Name", exact=True).fill("Asha Rao 🌊")
    page.get_by_label("About you").fill("Rivers, mostly.")
    page.get_by_label("Links").fill("https://example.org/rivers")
    page.get_by_role("button", name="Save profile").click()
    expect(page.locator("#toasts")).to_contain_text("Profile saved")

    poster = house.clips.folder / "face.png"
    poster.write_bytes(page.screenshot())
    page.locator("#avatar-file").set_input_files(poster)
    expect(page.locator("#toasts")).to_contain_text("Picture changed")

    page.goto(member.address + "/@" + member.api("GET", "/api/me")["handle"])
    expect(page.get_by_role("heading", name="Asha Rao 🌊")).to_be_visible()
    expect(page.get_by_text("Rivers, mostly.")).to_be_visible()
    expect(page.get_by_role("link", name="example.org/rivers")).to_be_visible()
    picture = page.locator(".profile img.avatar")
    poll(page, lambda: picture.evaluate("(image) => image.complete && image.naturalWidth"))
    page.goto(member.address + "/settings")
    page.get_by_role("button", name="Remove").click()
    poll(page, lambda: member.api("GET", "/api/me")["avatar_url"] is None)


def test_a_changed_password_ends_other_sessions_and_is_needed_from_then_on(visit: Opener) -> None:
    here, there = visit(), visit()
    name = here.join()
    there.sign_in(name)
    page = here.go("/settings")
    here.expect("401", "400", "403")
    page.get_by_label("Current password").fill("not the password")
    page.get_by_label("New password").fill("another horse battery")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("#safety [data-error]").first).to_be_visible()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill("another horse battery")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("#toasts")).to_contain_text("Password changed")
    there.expect("401", "403", "404")
    other = there.go("/settings")
    expect(other.get_by_role("heading", name="Welcome back")).to_be_visible()
    other.get_by_label("Handle").fill(name)
    other.get_by_label("Password", exact=True).fill("another horse battery")
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", name="Settings")).to_be_visible()


def test_a_session_on_another_device_is_ended_from_the_list(visit: Opener) -> None:
    here, there = visit(), visit()
    name = here.join()
    there.sign_in(name)
    page = here.go("/settings")
    expect(page.locator("#sessions li")).to_have_count(2)
    page.get_by_role("button", name="End", exact=True).click()
    expect(page.locator("#sessions li")).to_have_count(1)
    other = there.go("/settings")
    expect(other.get_by_role("heading", name="Welcome back")).to_be_visible()


def test_new_recovery_codes_let_one_back_in(member: Visit) -> None:
    name = member.api("GET", "/api/me")["handle"]
    page = member.go("/settings")
    page.locator("#codes_password").fill(PASSWORD)
    page.get_by_role("button", name="Make new codes").click()
    expect(page.locator("[data-codes] li")).to_have_count(10)
    code = page.locator("[data-codes] li").first.inner_text()
    page.get_by_role("button", name="Sign out").click()
    page.goto(member.address + "/recover")
    page.get_by_label("Handle").fill(name)
    page.get_by_label("Recovery code").fill(code)
    page.get_by_label("New password").fill("a third horse battery")
    page.locator("main form button:not([type=button])").click()
    page.wait_for_url(member.address + "/settings")
    assert member.api("GET", "/api/me")["handle"] == name


def test_the_export_holds_the_media_and_erasing_ends_the_account(
    member: Visit, house: House, tmp_path: Path
) -> None:
    name = member.api("GET", "/api/me")["handle"]
    house.bring(name, [house.clips.plain(2)])
    video = member.api("GET", "/api/me/videos")["videos"][0]
    page = member.go("/settings")
    with page.expect_download() as started:
        page.get_by_role("link", name="Export my data").click()
    archive = tmp_path / "mine.zip"
    started.value.save_as(archive)
    with zipfile.ZipFile(archive) as pieces:
        films = [i for i in pieces.infolist() if i.filename.endswith(".mp4")]
        assert films
        assert all(pieces.read(film)[4:8] == b"ftyp" for film in films)
        assert pieces.testzip() is None

    page.locator("#erase_password").fill(PASSWORD)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Erase my account").click()
    page.wait_for_url(member.address + "/")
    expect(page.get_by_text("Your account is closed")).to_be_visible()
    member.expect("404", "410")
    assert member.status(f"/@{name}") == 404
    assert member.status(f"/media/{video['id']}/poster.jpg") == 404
