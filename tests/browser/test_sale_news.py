"""A sale that is announced: a line above every page, which covers nothing and can be put away."""

import json
from collections.abc import Iterator

import pyrage
import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Opener
from tests.browser.house import DESKTOP, House, Visit
from tests.browser.playing import playing
from tests.browser.test_accessibility import serious_in_both
from tests.commands.factory import reelm

from reelm.proofs.sale import BUYER_FORM

BUYER = "Rivers and Sons Short Video Company of the Southern Ocean"


@pytest.fixture(scope="module")
def announced(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The region is being sold; the sale is ended afterwards, and nobody is told any more."""
    folder, home = tmp_path_factory.mktemp("sale"), house.served.home
    at = ("--region", home)
    key = reelm("order", "keygen", folder / "host.pem").out.strip()
    reelm(
        "authority", "add", "Demo Host", "--power", "approve_transfer", "--objections", "Street 1",
        "--key", key, *at,
    )  # fmt: skip
    buyer = {
        "form": BUYER_FORM,
        "operator": BUYER,
        "public_key": reelm("order", "keygen", folder / "buyer.pem").out.strip(),
        "recipient": str(pyrage.x25519.Identity.generate().to_public()),
        "country": "AQ",
    }
    (folder / "buyer.json").write_text(json.dumps(buyer))
    proposed = reelm(
        "transfer", "propose", *at, "--buyer", folder / "buyer.json", "--out", folder, "--json"
    ).json()
    for key_file in (home / "keys/operator-ed25519.pem", folder / "buyer.pem"):
        said = reelm("transfer", "sign", proposed["scope"], "--key", key_file).out
        (folder / "said.dsse").write_text(said)
        assert reelm("transfer", "submit", folder / "said.dsse", *at).status == 0
    assert reelm("transfer", "announce", *at).status == 0
    yield
    assert reelm("transfer", "abort", "--reason", "The walk is over.", *at).status == 0


def boxes_do_not_meet(page: Page, one: str, other: str) -> bool:
    first, second = (page.locator(name).first.bounding_box() for name in (one, other))
    assert first is not None
    assert second is not None
    is_above = first["y"] + first["height"] <= second["y"] + 1
    is_beside = first["x"] + first["width"] <= second["x"] + 1
    return is_above or is_beside


@pytest.mark.usefixtures("announced")
@pytest.mark.parametrize("window", [{}, DESKTOP], ids=["phone", "desktop"])
def test_the_line_covers_no_video_and_is_gone_when_put_away(
    visit: Opener, window: dict[str, object]
) -> None:
    guest: Visit = visit(**window)
    page = guest.go("/")
    playing(page)
    line = page.locator(".news")
    expect(line).to_contain_text(f"This service is being sold to {BUYER}")
    box = line.bounding_box()
    assert box is not None
    assert box["height"] <= 50
    assert boxes_do_not_meet(page, ".news", ".card[data-state=playing] .stage")
    assert boxes_do_not_meet(page, ".news", ".feed-tabs")
    card = page.locator(".card[data-state=playing]").bounding_box()
    assert card is not None
    height = page.evaluate("innerHeight")
    assert abs(card["y"] + card["height"] - height) <= 1
    page.keyboard.press("ArrowDown")
    playing(page)
    line.get_by_role("button", name="Put this away for now").click()
    expect(line).to_have_count(0)
    playing(page)
    page.wait_for_function("""() => {
        const card = document.querySelector(".card[data-state=playing]")?.getBoundingClientRect();
        return card && Math.abs(card.top) <= 1 && Math.abs(card.bottom - innerHeight) <= 1;
    }""")
    page.reload()
    expect(page.locator(".news")).to_be_visible()


@pytest.mark.usefixtures("announced")
def test_a_person_reads_what_it_means_and_objects(visit: Opener) -> None:
    member = visit()
    member.join()
    page = member.go("/terms")
    page.get_by_role("link", name="what it means for you").click()
    expect(page.get_by_role("heading", name="What it means for you")).to_be_visible()
    assert serious_in_both(page) == []
    page.get_by_role("link", name="Object", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Object to the sale of this region")
    page.get_by_label("Why do you object?").fill("I gave it to somebody else.")
    page.get_by_role("button", name="Send objection").click()
    expect(page.get_by_role("link", name="How far is it?")).to_be_visible()
    page = member.go("/notices")
    expect(page.get_by_text("Your password goes on to work")).to_be_visible()
    assert serious_in_both(page) == []
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.locator(".notice-card.unread")).to_have_count(0)


@pytest.mark.usefixtures("announced")
@pytest.mark.parametrize("window", [{}, DESKTOP], ids=["phone", "desktop"])
def test_the_line_is_no_barrier(visit: Opener, window: dict[str, object]) -> None:
    guest = visit(**window)
    assert [
        problem for path in ("/", "/@asha") for problem in serious_in_both(guest.go(path))
    ] == []


@pytest.mark.usefixtures("announced")
def test_without_scripts_the_line_is_there_and_its_button_is_not(visit: Opener) -> None:
    page = visit(java_script_enabled=False).go("/terms")
    expect(page.locator(".news a")).to_be_visible()
    expect(page.locator(".news button")).to_be_hidden()
