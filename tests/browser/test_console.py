"""A walk through the console as its officers take it, with the device for their codes."""

import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.accounts.factory import code_of
from tests.browser.conftest import Opener
from tests.browser.house import DESKTOP, PASSWORD, House, Visit
from tests.browser.staff import become_staff, give_role

NO_SCRIPT = {"java_script_enabled": False}


@pytest.fixture(scope="module")
def video(house: House) -> str:
    """A video that other tests do not need."""
    (made,) = house.bring("orla", [house.clips.plain(3)])
    return made


def _report(guest: Visit, video: str) -> tuple[str, str]:
    """Report a video by the form; return number and code of the receipt."""
    page = guest.go(f"/report?kind=video&id={video}")
    page.get_by_text("Violence or danger").click()
    page.get_by_label("Tell us more").fill("At 0:01, look.")
    page.get_by_role("button", name="Send report").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    number, code = page.locator(".facts code").all_inner_texts()
    return number, code


def _enrol(page: Page) -> str:
    """Set up the second factor on the page that asks for it; return the device's secret."""
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator(".qr svg")).to_be_visible()
    secret = "".join(page.locator(".secret span").all_inner_texts())
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    assert "".join(page.locator(".secret span").all_inner_texts()) == secret
    page.get_by_label("Code", exact=True).fill(code_of(secret))
    page.get_by_role("button", name="Turn it on").click()
    return secret


def _say_purpose(page: Page) -> None:
    expect(page.get_by_role("heading", name="For what?")).to_be_visible()
    page.get_by_text("Handling grievances").click()
    page.get_by_label("In your words").fill("The morning's round.")
    page.get_by_role("button", name="Go on").click()


def _choose(page: Page, document: Path) -> None:
    """Choose a document, and see that its digest is filled in."""
    page.get_by_label("The document", exact=True).set_input_files(document)
    digest = hashlib.sha256(document.read_bytes()).hexdigest()
    expect(page.get_by_label("SHA-256 of the document")).to_have_value(digest)


def _enter(page: Page, document: Path, reference: str) -> None:
    page.get_by_label("Reference").fill(reference)
    page.get_by_label("Legal basis").fill("Walk Act, section 1")
    page.locator("#issued_at").fill(page.locator("#received_at").input_value())
    _choose(page, document)
    page.get_by_role("button", name="Enter it").click()
    expect(page.get_by_text("Somebody else has to check")).to_be_visible()


def _agree(page: Page, document: Path) -> None:
    _choose(page, document)
    page.get_by_role("button", name="It says so: carry it out").click()


@pytest.mark.parametrize("options", [DESKTOP, NO_SCRIPT], ids=["desktop", "phone without scripts"])
def test_an_officer_signs_in_with_a_device_and_answers_a_grievance(
    visit: Opener, house: House, video: str, options: dict[str, object]
) -> None:
    guest, officer = visit(**options), visit(**options)
    for window in (guest, officer):
        window.expect(".js csp", "401", "404")  # scripts that are off; the wrong codes below
    number, code = _report(guest, video)
    handle = officer.join()
    give_role(house, handle, "officer")
    page = officer.go(f"/sign-in?next=/console/grievances/{number}")
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    secret = _enrol(page)
    _say_purpose(page)
    expect(page.get_by_text("At 0:01, look.")).to_be_visible()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator(".chip", has_text="acknowledged")).to_be_visible()
    page.get_by_text("Dismissed").click()
    page.get_by_label("Answer to the complainant").fill("It is a fountain.")
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_role("heading", name="Our answer")).to_be_visible()

    told = guest.go(f"/grievances/{number}")
    told.get_by_label("Code from your receipt").fill("wrong-code")
    told.get_by_role("button", name="Show").click()
    expect(told.get_by_role("alert")).to_contain_text("no grievance")
    told.get_by_label("Code from your receipt").fill(code)
    told.get_by_role("button", name="Show").click()
    expect(told.get_by_text("It is a fountain.")).to_be_visible()
    assert code not in told.url

    page.get_by_role("link", name="Access log").click()
    expect(page.locator(".subnav [aria-current]")).to_be_in_viewport(ratio=1)
    expect(page.locator("tbody tr").first).to_contain_text(number)
    page.goto(officer.address + "/settings")
    page.get_by_role("button", name="Sign out").click()
    page.goto(officer.address + "/sign-in?next=/console")
    page.get_by_label("Handle").fill(handle)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code from your device").fill(code_of(secret, steps=1))
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Console")).to_be_visible()


def test_two_officers_carry_out_an_order_on_paper_and_lift_it(
    visit: Opener, house: House, video: str, tmp_path: Path
) -> None:
    olga, omar, guest = visit(**DESKTOP), visit(**DESKTOP), visit()
    for window, role in ((olga, "owner"), (omar, "officer")):
        window.join()
        become_staff(house, window, role)
        window.api("POST", "/api/staff/purposes", {"purpose": "handling orders"})
    guest.expect("451")
    address = guest.api("GET", f"/api/videos/{video}")["page_url"]

    page = olga.go("/console/authorities")
    form = page.locator("form", has_text="Register an authority")
    form.get_by_label("Name").fill("Walk Ministry")
    form.get_by_label("Order content").check()
    form.get_by_label("Where to object").fill("https://ministry.invalid")
    form.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Walk Ministry")).to_be_visible()

    document = tmp_path / "order.pdf"
    document.write_bytes(b"The ministry orders ...")
    page.goto(olga.address + "/console/orders/paper")
    page.get_by_label("Authority").select_option("Walk Ministry")
    page.get_by_label("Videos", exact=True).fill(video)
    _enter(page, document, "WALK/1")
    assert guest.status(address) == 200

    file = re.sub(r"^https?://[^/]+", "", page.url)
    other = omar.go("/console")
    other.get_by_role("link", name="Remove · Walk Ministry").click()
    _agree(other, document)
    expect(other.locator(".chip", has_text="in force")).to_be_visible()
    assert guest.status(address) == 451
    expect(guest.page.get_by_text("Walk Act, section 1")).to_be_visible()

    lift = tmp_path / "lift.pdf"
    lift.write_bytes(b"The ministry lifts ...")
    other.get_by_role("link", name="Enter a lift").click()
    _enter(other, lift, "WALK/2")
    page.goto(other.url)
    _agree(page, lift)
    expect(page.locator(".chip", has_text="complied")).to_be_visible()
    assert guest.status(address) == 200
    page.goto(olga.address + file)
    expect(page.locator(".chip", has_text="lifted")).to_be_visible()
