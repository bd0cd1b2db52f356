"""Take the screenshots of docs/screenshots from a demo region that is being served.

    reelm demo --region demo-region            # in one terminal
    python docs/take-screenshots.py demo-region http://127.0.0.1:8080

How to sign in is read from the region. Use a demo region of its own: what is reported, decided and
ordered for the pictures of the console stays in it.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pyotp
from playwright.sync_api import Browser, FilePayload, Page, StorageState, sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
QUALITY = 78
# name -> (path, who looks)
PAGES = {
    "feed": ("/", None),
    "following": ("/?tab=following", "demo_viewer"),
    "popular": ("/?tab=popular", None),
    "profile": ("/@demo_ana", None),
    "upload": ("/upload", "demo_viewer"),
    "settings": ("/settings", "demo_viewer"),
    "your-feed": ("/settings/feed", "demo_viewer"),
    "history": ("/history", "demo_viewer"),
    "how-the-feed-works": ("/how-the-feed-works", None),
    "sign-in": ("/sign-in", None),
    "sign-up": ("/sign-up", None),
    "recover": ("/recover", None),
    "terms": ("/terms", None),
    "privacy": ("/privacy", None),
    "api": ("/api", None),
    "audit": ("/audit", None),
    "region": ("/region", None),
    "transparency": ("/transparency", None),
    "transparency-month": ("/transparency/{month}", None),
    "not-found": ("/@nobody_here", None),
    "second-factor": ("/two-factor", "demo_staff"),
    "purpose": ("/staff/purpose", "demo_staff"),
    "console": ("/console", "demo_staff"),
    "console-grievances": ("/console/grievances", "demo_staff"),
    "console-grievance": ("/console/grievances/{grievance}", "demo_staff"),
    "console-decisions": ("/console/decisions", "demo_staff"),
    "console-decision": ("/console/decisions/{decision}", "demo_staff"),
    "console-orders": ("/console/orders?state=", "demo_staff"),
    "console-order": ("/console/orders/{order}", "demo_staff"),
    "console-paper": ("/console/orders/paper", "demo_staff"),
    "console-authorities": ("/console/authorities", "demo_staff"),
    "console-staff": ("/console/staff", "demo_staff"),
    "access-log": ("/staff/access-log", "demo_staff"),
    "notices": ("/notices", "demo_viewer"),
    "objection": ("/objection?about=order&id={order}", None),
    "jobs": ("/jobs", "demo_staff"),
}
ON_DESKTOP = (
    *("feed", "profile", "settings", "your-feed", "how-the-feed-works", "jobs", "api", "audit"),
    *("region", "transparency", "transparency-month"),
    *("console", "console-grievances", "console-orders", "console-order", "access-log"),
)


class Camera:
    """Opens windows on the region and keeps what they show."""

    def __init__(self, browser: Browser, address: str, note: dict[str, Any]) -> None:
        self.browser = browser
        self.address = address
        self.passwords: dict[str, str] = note["passwords"]
        self.secrets: dict[str, str] = note["secrets"]
        # what the paths above name: ids of what the console shows, and the month that runs
        self.made = {"month": f"{datetime.now(UTC):%Y-%m}"}
        self.signed_in: dict[str, StorageState] = {}  # each signs in once: tries are counted

    @contextmanager
    def window(
        self, size: str, scheme: Literal["dark", "light"], person: str | None
    ) -> Iterator[Page]:
        """Open a window of a size, dark or light, with somebody signed in or nobody."""
        width, height = SIZES[size]
        is_phone = size == "phone"
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            has_touch=is_phone,
            is_mobile=is_phone,
            storage_state=self.signed_in.get(person or ""),
        )
        if person is not None and person not in self.signed_in:
            body = {"handle": person, "password": self.passwords[person]}
            if person in self.secrets:
                body["code"] = pyotp.TOTP(self.secrets[person]).now()
            answer = context.request.post(f"{self.address}/api/sessions", data=body)
            if not answer.ok:
                raise SystemExit(f"{person} could not sign in: {answer.text()}")
            self.signed_in[person] = context.storage_state()
        yield context.new_page()
        context.close()

    def keep(self, page: Page, name: str) -> None:
        """Write what the window shows."""
        page.wait_for_timeout(900)  # pictures and sheets come to rest
        path = FOLDER / f"{name}.jpg"
        page.screenshot(path=path, type="jpeg", quality=QUALITY)
        sys.stdout.write(f"{path.name} {path.stat().st_size // 1024} KB\n")

    def take_pages(self) -> None:
        """Take each page on a phone, dark and light, and some on a desktop."""
        for scheme in SCHEMES:
            for size in SIZES:
                for name in PAGES if size == "phone" else ON_DESKTOP:
                    path, person = PAGES[name]
                    path = path.format(**self.made)
                    with self.window(size, scheme, person) as page:
                        page.goto(self.address + path)
                        if path.startswith("/?") or path == "/":
                            wait_for_picture(page, 1.2)
                        self.keep(page, f"{name}-{size}-{scheme}")

    def fill_console(self) -> None:
        """Report, decide and order something, so that the pages of the console are not bare."""
        with self.window("phone", "dark", "demo_viewer") as page:
            videos = self.api(page, "/api/accounts/demo_ana/videos")["videos"]
            for video, reason in zip(videos, ("spam", "violence", "minor_safety"), strict=False):
                body = {"target_kind": "video", "target_id": video["id"], "reason": reason}
                sent = self.send(page, "/api/reports", {**body, "detail": "Please look at 0:03."})
                self.made["grievance"] = sent["id"]
            viewer_id = self.api(page, "/api/me")["id"]
        with self.window("phone", "dark", "demo_staff") as page:
            self.send(page, "/api/staff/purposes", {"purpose": "handling grievances"})
            reasons = {"ground": "terms", "basis": "Terms, section 4", "category": "spam"}
            target = {"kind": "suspend_account", "target_id": viewer_id, "countries": ["AQ"]}
            decision = {**reasons, **target, "facts": "A decision for the pictures of the demo."}
            self.made["decision"] = self.send(page, "/api/staff/decisions", decision)["id"]
            page.goto(f"{self.address}/console/authorities")
            page.get_by_label("Name").fill("Demo Ministry (not a real one)")
            page.get_by_label("Order content").check()
            page.get_by_label("Where to object").fill("https://ministry.invalid/objections")
            page.get_by_role("button", name="Register").click()
            page.goto(f"{self.address}/console/orders/paper")
            page.get_by_label("Reference").fill("DEMO/2026/7")
            page.get_by_label("Legal basis").fill("Demo Act, section 1")
            page.get_by_label("Videos", exact=True).fill(videos[0]["id"])
            page.get_by_label("Countries").fill("AQ")
            page.locator("#issued_at").fill(page.locator("#received_at").input_value())
            page.get_by_label("SHA-256 of the document").fill("5e" * 32)
            page.get_by_role("button", name="Enter it").click()
            self.made["order"] = page.url.rsplit("/", 1)[-1]

    def take_moments(self) -> None:
        """Take what only shows after somebody did something."""
        for scheme in SCHEMES:
            for size in SIZES:
                with self.window(size, scheme, "demo_viewer") as page:
                    listed = self.api(page, "/api/accounts/demo_bo/videos")["videos"]
                    talked = max(listed, key=lambda video: (video["comments"], video["id"]))
                    page.goto(self.address + talked["page_url"])
                    wait_for_picture(page, 1.0)
                    self.keep(page, f"video-{size}-{scheme}")
                    page.locator(".card[data-state=playing] [data-act=comments]").click()
                    self.keep(page, f"comments-{size}-{scheme}")
            with self.window("phone", scheme, "demo_viewer") as page:
                page.goto(self.address)
                wait_for_picture(page, 1.0)
                page.locator(".card[data-state=playing] [data-act=more]").click()
                self.keep(page, f"more-phone-{scheme}")
                page.get_by_role("button", name="Why am I seeing this?").click()
                self.keep(page, f"why-phone-{scheme}")
        with self.window("phone", "dark", "demo_viewer") as page:
            video = self.api(page, "/api/accounts/demo_eli/videos")["videos"][0]
            page.goto(f"{self.address}{video['page_url']}")
            wait_for_picture(page, 1.0)
            page.mouse.dblclick(190, 400)
            page.wait_for_timeout(220)
            page.screenshot(path=FOLDER / "like-phone-dark.jpg", type="jpeg", quality=QUALITY)
            page.goto(f"{self.address}/report?kind=video&id={video['id']}")
            self.keep(page, "report-phone-dark")

    def take_upload(self) -> None:
        """Take the upload page while a clip goes up, and the posted clip; it is deleted again."""
        with self.window("phone", "dark", "demo_viewer") as page:
            video = self.api(page, "/api/accounts/demo_ana/videos")["videos"][1]
            clip = page.context.request.get(self.address + video["progressive_url"]).body()
            page.goto(f"{self.address}/upload")
            picked: FilePayload = {"name": "clip.mp4", "mimeType": "video/mp4", "buffer": clip}
            page.locator("#file").set_input_files(picked)
            page.locator("#caption").fill("Down the seahorse valley, once more #fractals")
            self.keep(page, "upload-sending-phone-dark")
            page.get_by_text("Uploaded.").wait_for()
            page.locator("[data-post]").click()
            page.get_by_text("It is live").wait_for()
            page.goto(f"{self.address}/me/videos")
            self.keep(page, "my-videos-phone-dark")
            for mine in self.api(page, "/api/me/videos")["videos"]:
                page.context.request.delete(f"{self.address}/api/videos/{mine['id']}")

    def take_withheld(self, desk: "Desk") -> None:
        """Take what viewers see of a withheld video and of a withheld service; both are lifted."""
        with self.window("phone", "dark", "demo_viewer") as page:
            video = self.api(page, "/api/accounts/demo_bo/videos")["videos"][0]
        orders = (
            ("withheld", ("remove", "--video", video["id"]), video["page_url"]),
            ("service-withheld", ("block_service",), "/"),
        )
        for name, said, path in orders:
            reference = f"DEMO/{datetime.now(UTC):%Y/%H%M%S}/{name}"
            desk.order(*said, "--reference", reference)
            for scheme in SCHEMES:
                for size in SIZES:
                    with self.window(size, scheme, None) as page:
                        page.goto(self.address + path)
                        self.keep(page, f"{name}-{size}-{scheme}")
            desk.order("lift", "--about", reference, "--reference", f"{reference}/lift")

    def send(self, page: Page, path: str, body: dict[str, Any]) -> Any:
        """Post to the API as this window would."""
        answer = page.context.request.post(self.address + path, data=body)
        if not answer.ok:
            raise SystemExit(f"{path}: {answer.text()}")
        return answer.json()

    def api(self, page: Page, path: str) -> Any:
        """Ask the API as this window would."""
        return page.context.request.get(self.address + path).json()


class Desk:
    """A demo authority: its key lies in a folder, its orders come by command."""

    def __init__(self, region: str, folder: Path) -> None:
        self.region = region
        self.folder = folder
        self.key = str(folder / "demo.pem")
        public = self._reelm("order", "keygen", self.key).strip()
        powers = [f"--power={power}" for power in ("order_content", "order_service")]
        self._reelm(
            *("authority", "add", "Demo Court (not a real one)", *powers, "--key", public),
            *("--objections", "https://court.invalid/objections", "--region", region),
        )
        known = json.loads(self._reelm("authority", "list", "--json", "--region", region))
        self.names = ["--region-id", known["region"]]
        self.names += ["--authority", str(known["authorities"][-1]["id"])]

    def order(self, *said: str) -> None:
        """Draft an order, sign it and hand it in."""
        statement, envelope = self.folder / "order.json", self.folder / "order.dsse"
        basis = ("--basis", "Demo Act, section 4")
        statement.write_text(self._reelm("order", "draft", *said, *self.names, *basis))
        envelope.write_text(self._reelm("order", "sign", str(statement), "--key", self.key))
        self._reelm("order", "submit", str(envelope), "--region", self.region)

    def _reelm(self, *words: str) -> str:
        command = [str(Path(sys.executable).with_name("reelm")), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wait_for_picture(page: Page, seconds: float) -> None:
    """Wait until the current video has played for a while."""
    look = "() => document.querySelector('.card[data-state=playing] video')?.currentTime ?? 0"
    while page.evaluate(look) < seconds:
        page.wait_for_timeout(50)


def main(region: str, address: str) -> None:
    """Take all screenshots anew."""
    note = json.loads((Path(region) / "demo.json").read_text())
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.jpg"):
        old.unlink()
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    flags = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        camera = Camera(browser, address.rstrip("/"), note)
        camera.take_upload()  # before the decision about who uploads
        camera.fill_console()
        camera.take_pages()
        camera.take_moments()
        with TemporaryDirectory() as folder:
            camera.take_withheld(Desk(region, Path(folder)))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
