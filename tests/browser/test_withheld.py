"""What a viewer meets when an order withholds what they watch, and the whole service."""

import json

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Opener
from tests.browser.house import House
from tests.browser.playing import playing
from tests.commands.test_order import reelm


@pytest.fixture(scope="module")
def authority(house: House, tmp_path_factory: pytest.TempPathFactory):
    """Sign and hand in orders at the region's own address; all are lifted at the end."""
    folder = tmp_path_factory.mktemp("desk")
    home, key = str(house.served.home), str(folder / "key.pem")
    public = reelm("order", "keygen", key).stdout.strip()
    powers = ("--power", "order_content", "--power", "order_service")
    reelm(
        "authority", "add", "Demo Ministry", *powers, "--objections",
        "https://ministry.invalid/object", "--key", public, "--region", home,
    )  # fmt: skip
    known = json.loads(reelm("authority", "list", "--region", home, "--json").stdout)
    (ours,) = [
        one for one in known["authorities"] if public in [key["public_key"] for key in one["keys"]]
    ]
    options = ["--region-id", known["region"], "--authority", str(ours["id"])]
    given: list[str] = []

    def order(visit, kind: str, *words: str) -> str:
        reference = f"walk-{len(given)}"
        given.append(reference)
        statement, envelope = folder / f"{reference}.json", folder / f"{reference}.dsse"
        options_ = [*options, "--reference", reference, "--basis", "Walk Act, section 2"]
        statement.write_text(reelm("order", "draft", kind, *words, *options_).stdout)
        envelope.write_text(reelm("order", "sign", str(statement), "--key", key).stdout)
        taken = visit.api("POST", "/api/orders", json.loads(envelope.read_text()))
        assert taken["state"] in ("in_force", "complied")
        return reference

    return order


def test_a_video_that_is_withheld_while_it_plays_stops_and_says_why(
    visit: Opener, house: House, authority
) -> None:
    (video,) = house.bring("vera", [house.clips.plain(5)])
    guest, desk = visit(), visit()
    guest.expect("451")
    address = guest.api("GET", f"/api/videos/{video}")["page_url"]
    page = guest.go(address)
    playing(page)
    reference = authority(desk, "remove", "--video", video)
    page.reload()
    expect(page.get_by_role("heading", name="Withheld by a legal order")).to_be_visible()
    for words in ("Demo Ministry", "Walk Act, section 2", "https://ministry.invalid/object"):
        expect(page.get_by_text(words)).to_be_visible()
    page.get_by_role("link", name="Object to this at the service, too").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("bject")
    authority(desk, "lift", "--about", reference)
    assert guest.status(address) == 200


def test_a_withheld_service_shows_who_ordered_it_and_the_way_to_ones_own_data(
    visit: Opener, house: House, authority
) -> None:
    guest, desk = visit(), visit()
    guest.join()
    guest.expect("451")
    reference = authority(desk, "block_service")
    try:
        page = guest.go("/")
        expect(page.get_by_role("heading", name="Withheld by a legal order")).to_be_visible()
        expect(page.get_by_text("Demo Ministry")).to_be_visible()
        page.get_by_role("link", name="take it along or erase it").click()
        expect(page.get_by_role("button", name="Erase my account")).to_be_visible()
        page.go_back()
        page.get_by_role("link", name="about this region").click()
        expect(page.get_by_text("Walk Act, section 2").first).to_be_visible()
    finally:
        authority(desk, "lift", "--about", reference)
    assert guest.status("/") == 200
