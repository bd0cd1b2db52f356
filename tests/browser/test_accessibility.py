"""axe looks at every page, dark and light."""

import subprocess

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Page
from tests.browser.conftest import Opener
from tests.browser.house import DESKTOP, House, Visit
from tests.browser.playing import playing
from tests.commands.served import REELM

FOR_ALL = ("/sign-in", "/sign-up", "/recover", "/terms", "/privacy", "/api", "/@asha", "/nowhere")
FOR_MEMBERS = ("/upload", "/settings", "/me/videos", "/?tab=following")
FOR_STAFF = ("/jobs", "/staff/reports")


# A sheet that is half faded in has no colours to judge yet.
SETTLE = """() => Promise.all(document.getAnimations()
  .filter((animation) => animation.effect.getComputedTiming().iterations < 100)
  .map((animation) => animation.finished.catch(() => {})))"""


def serious(page: Page) -> list[str]:
    page.evaluate(SETTLE)
    found = Axe().run(page)["violations"]
    return [
        f"{page.url} {v['id']}: {v['nodes'][0]['html'][:200]}"
        for v in found
        if v["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_no_page_has_a_serious_barrier(visit: Opener, house: House, scheme: str, size: str) -> None:
    options = {"color_scheme": scheme, **(DESKTOP if size == "desktop" else {})}
    guest, member = visit(**options), visit(**options)
    guest.expect("404")
    found = [problem for path in FOR_ALL for problem in serious(guest.go(path))]
    video = guest.api("GET", "/api/accounts/asha/videos")["videos"][0]
    found += serious(guest.go(f"/report?kind=video&id={video['id']}"))
    page = guest.go("/")
    playing(page)
    found += serious(page)
    page.keyboard.press("l")
    found += serious(page)

    _make_staff(house, member)
    found += [problem for path in FOR_MEMBERS + FOR_STAFF for problem in serious(member.go(path))]
    page = member.go(video["page_url"])
    playing(page)
    page.keyboard.press("c")
    page.locator("#comments-sheet [data-empty]").wait_for()
    found += serious(page)
    assert found == []


def _make_staff(house: House, member: Visit) -> None:
    handle = member.join()
    words = ["accounts", "staff", handle, "--role", "owner", "--region", str(house.served.home)]
    subprocess.run([*REELM, *words], check=True, capture_output=True)
    member.sign_in(handle)


def test_a_planted_barrier_is_found(guest: Visit) -> None:
    page = guest.go("/terms")
    page.evaluate("() => document.querySelector('main').append(document.createElement('button'))")
    assert any("button-name" in problem for problem in serious(page))
