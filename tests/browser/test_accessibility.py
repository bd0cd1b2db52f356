"""axe looks at every page, dark and light."""

from datetime import UTC, datetime

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Page
from tests.browser.conftest import Opener
from tests.browser.house import DESKTOP, House, Visit
from tests.browser.playing import playing
from tests.browser.staff import become_staff

FOR_ALL = (
    *("/sign-in", "/sign-up", "/recover", "/terms", "/privacy", "/api", "/@asha", "/nowhere"),
    *("/how-the-feed-works", "/settings/feed", "/?tab=popular", "/audit"),
    *("/region", "/transfer", "/transparency", f"/transparency/{datetime.now(UTC):%Y-%m}"),
)
FOR_MEMBERS = ("/upload", "/settings", "/me/videos", "/?tab=following", "/history", "/notices")
FOR_STAFF = (
    *("/jobs", "/console", "/console/grievances", "/console/decisions", "/console/decisions/new"),
    *("/console/orders", "/console/orders/paper", "/console/authorities", "/console/staff"),
    *("/staff/purpose", "/staff/access-log", "/two-factor"),
)


# Pages that a wide window lays out in another way.
WIDE = (
    *("/", "/@asha", "/settings", "/api", "/region", f"/transparency/{datetime.now(UTC):%Y-%m}"),
    *("/console", "/console/orders", "/console/authorities", "/staff/access-log"),
)


# A sheet that is half faded in has no colours to judge yet.
SETTLE = """() => Promise.all(document.getAnimations()
  .filter((animation) => animation.effect.getComputedTiming().iterations < 100)
  .map((animation) => animation.finished.catch(() => {})))"""


# Only these judge what a colour scheme changes.
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}


def serious(page: Page, **options: object) -> list[str]:
    page.evaluate(SETTLE)
    found = Axe().run(page, options={"resultTypes": ["violations"], **options})["violations"]
    return [
        f"{page.url} {v['id']}: {v['nodes'][0]['html'][:200]}"
        for v in found
        if v["impact"] in {"serious", "critical"}
    ]


def serious_in_both(page: Page) -> list[str]:
    """Look at a page in the dark by all rules, and again in the light by those of colours."""
    page.emulate_media(color_scheme="dark")
    found = serious(page)
    page.emulate_media(color_scheme="light")
    return found + [f"light: {problem}" for problem in serious(page, **COLOURS)]


def test_no_page_has_a_serious_barrier(visit: Opener, house: House) -> None:
    guest, member = visit(), visit()
    guest.expect("404")
    found = [problem for path in FOR_ALL for problem in serious_in_both(guest.go(path))]
    video = guest.api("GET", "/api/accounts/asha/videos")["videos"][0]
    found += serious_in_both(guest.go(f"/report?kind=video&id={video['id']}"))
    page = guest.go("/")
    playing(page)
    found += serious_in_both(page)
    page.locator(".card[data-state=playing] [data-act=more]").click()
    page.locator("#more-sheet[open]").wait_for()
    found += serious_in_both(page)
    page.get_by_role("button", name="Why am I seeing this?").click()
    page.locator("#why-sheet [data-sentence]:not(:empty)").wait_for()
    found += serious_in_both(page)
    page.keyboard.press("Escape")
    page.keyboard.press("l")
    found += serious_in_both(page)

    member.join()
    become_staff(house, member, "owner")
    for path in FOR_MEMBERS + FOR_STAFF:
        found += serious_in_both(member.go(path))
    page = member.go(video["page_url"])
    playing(page)
    page.keyboard.press("c")
    page.locator("#comments-sheet [data-empty]").wait_for()
    found += serious_in_both(page)
    assert found == []


def test_no_wide_page_has_a_serious_barrier(visit: Opener, house: House) -> None:
    member = visit(**DESKTOP)
    member.join()
    become_staff(house, member, "owner")
    assert [problem for path in WIDE for problem in serious_in_both(member.go(path))] == []


def test_a_planted_barrier_is_found(guest: Visit) -> None:
    page = guest.go("/terms")
    page.evaluate("() => document.querySelector('main').append(document.createElement('button'))")
    assert any("button-name" in problem for problem in serious_in_both(page))


def test_colours_that_only_the_light_scheme_gets_wrong_are_found(guest: Visit) -> None:
    page = guest.go("/terms")
    page.evaluate(
        """() => {
          const wrong = document.querySelector('main').appendChild(document.createElement('p'))
          wrong.textContent = 'Hard to read'
          const light = matchMedia('(prefers-color-scheme: light)')
          const paint = () => {
            wrong.style.color = '#777'
            wrong.style.background = light.matches ? '#999' : '#000'
          }
          light.addEventListener('change', paint)
          paint()
        }"""
    )
    (problem,) = serious_in_both(page)
    assert problem.startswith("light: ")
    assert "color-contrast" in problem
