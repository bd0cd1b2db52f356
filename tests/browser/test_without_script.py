"""Pages read, and forms work, where scripts do not run."""

import secrets

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Opener
from tests.browser.house import PASSWORD, Visit


@pytest.fixture
def plain(visit: Opener) -> Visit:
    """A phone whose browser runs no scripts."""
    window = visit(java_script_enabled=False)
    window.expect(".js csp")  # how Chromium tells of a script that it does not load
    return window


def test_feed_video_and_profile_read(plain: Visit) -> None:
    page = plain.go("/")
    cards = page.locator(".card")
    assert cards.count() >= 3
    expect(page.get_by_role("link", name="More videos")).to_be_visible()
    assert page.locator(".card video[controls]").count() == cards.count()
    first = cards.first
    expect(first.locator(".name")).to_be_visible()
    page.goto(plain.address + "/@asha")
    assert page.locator("a.tile").count() >= 3
    page.locator("a.tile").first.click()
    expect(page.locator("video[controls]").first).to_be_visible()


def test_the_feed_explains_itself_and_popular_is_chosen(plain: Visit) -> None:
    page = plain.go("/how-the-feed-works")
    weights = plain.api("GET", "/api/feed/weights")
    expect(page.locator("tbody tr")).to_have_count(sum(map(len, weights.values())))
    expect(page.get_by_text(weights["parts"][0]["why"])).to_be_visible()
    page.goto(plain.address + "/settings/feed")
    expect(page.get_by_label("Variety")).to_have_value("0.5")
    page.goto(plain.address + "/?tab=popular")
    page.locator("#popular-topic").select_option("")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Popular")).to_be_attached()
    assert page.locator(".card").count() >= 3


def test_signing_up_out_and_in(plain: Visit) -> None:
    page = plain.go("/sign-up")
    handle = f"plain_{secrets.token_hex(2)}"
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Date of birth").fill("1985-02-03")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Create account").click()
    expect(page.locator(".codes li")).to_have_count(10)
    page.goto(plain.address + "/settings")
    page.get_by_role("button", name="Sign out").click()
    page.goto(plain.address + "/sign-in?next=/me/videos")
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("Password", exact=True).fill("wrong horse battery")
    plain.expect("401", "400", "403")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Your videos")).to_be_visible()


def test_a_report_needs_neither_script_nor_account(plain: Visit) -> None:
    video = plain.api("GET", "/api/accounts/chen/videos")["videos"][0]
    page = plain.go(f"/report?kind=video&id={video['id']}")
    page.get_by_text("Spam or a scam").click()
    page.get_by_label("Tell us more").fill("It sells things.")
    page.get_by_label("How to reach you").fill("me@example.org")
    page.get_by_role("button", name="Send report").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
