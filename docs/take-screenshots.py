"""Take the screenshots of docs/screenshots from a demo region that is being served.

    reelm demo --region demo-region            # in one terminal
    python docs/take-screenshots.py demo-region http://127.0.0.1:8080

The passwords are read from the region; what is posted for a picture is deleted again.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

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
    "not-found": ("/@nobody_here", None),
    "reports": ("/staff/reports", "demo_staff"),
    "jobs": ("/jobs", "demo_staff"),
}
ON_DESKTOP = ("feed", "profile", "settings", "your-feed", "how-the-feed-works", "jobs", "api")


class Camera:
    """Opens windows on the region and keeps what they show."""

    def __init__(self, browser: Browser, address: str, passwords: dict[str, str]) -> None:
        self.browser = browser
        self.address = address
        self.passwords = passwords
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
                    with self.window(size, scheme, person) as page:
                        page.goto(self.address + path)
                        if path.startswith("/?") or path == "/":
                            wait_for_picture(page, 1.2)
                        self.keep(page, f"{name}-{size}-{scheme}")

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

    def api(self, page: Page, path: str) -> Any:
        """Ask the API as this window would."""
        return page.context.request.get(self.address + path).json()


def wait_for_picture(page: Page, seconds: float) -> None:
    """Wait until the current video has played for a while."""
    look = "() => document.querySelector('.card[data-state=playing] video')?.currentTime ?? 0"
    while page.evaluate(look) < seconds:
        page.wait_for_timeout(50)


def main(region: str, address: str) -> None:
    """Take all screenshots anew."""
    passwords = json.loads((Path(region) / "demo.json").read_text())["passwords"]
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.jpg"):
        old.unlink()
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    flags = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        camera = Camera(browser, address.rstrip("/"), passwords)
        camera.take_pages()
        camera.take_moments()
        camera.take_upload()
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:3])
