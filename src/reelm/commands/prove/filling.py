"""Puts tokens into a region through the product, and provokes errors with them."""

import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from reelm.commands.prove.journey import Person

WEBVTT = "WEBVTT\n\n00:00.000 --> 00:01.000\n{text}\n"


class Filling:
    """One person with a token in every field that the product has for people."""

    def __init__(self, port: int, tokens: dict[str, str]) -> None:
        self.port, self.tokens = port, tokens
        self.filled: set[str] = set()
        self.person: Person | None = None

    def fill(self, clip: Path) -> set[str]:
        """Do all that a person can type; return the fields that got their token."""
        self.person = person = Person(
            self.port,
            self._take("account.handle", "handle.handle_key"),
            password=self.tokens["(password)"],
            agent=self._take("session.user_agent"),
        )
        profile = {
            "display_name": self._take("account.display_name"),
            "bio": self._take("account.bio"),
            "links": [f"https://{self._take('account.links')}.example/"],
        }
        person.ask("PATCH", "/api/me", profile)
        video_id = person.upload(
            clip,
            caption=f"{self._take('video.caption')} #{self._take('video_hashtag.tag')}",
            audience="public",
        )
        person.wait_for_ladder(video_id)
        text = WEBVTT.format(text=self._take("caption_track.text")).encode()
        person.call(
            "PUT", f"/api/videos/{video_id}/captions/en", text, {"content-type": "text/vtt"}
        )
        body = {"body": self._take("comment.body")}
        person.ask("POST", f"/api/videos/{video_id}/comments", body)
        report = {
            "target_kind": "video",
            "target_id": video_id,
            "reason": "other",
            "detail": self._take("report.detail"),
            "contact": self._take("report.contact"),
        }
        person.ask("POST", "/api/reports", report)
        person.ask("PATCH", "/api/feed/settings", {"topics": [self._take("feed_settings.topics")]})
        return self.filled

    def metrics(self) -> bytes:
        """Return what Prometheus would be told."""
        assert self.person is not None  # noqa: S101 - filled before
        return self.person.call("GET", "/metrics")[2]

    def provoke(self) -> Iterator[tuple[str, bytes]]:
        """Send a token in each place of a request where it makes an error; yield the answers."""
        assert self.person is not None  # noqa: S101 - filled before
        text = self.tokens["(sent to provoke an error)"]
        quoted = urllib.parse.quote(text)
        body = f'{{"{text}": "{text}"}}'.encode()
        html = {"accept": "text/html"}
        for what, method, path, data, headers in (
            ("an unknown path", "GET", f"/{quoted}", None, {}),
            ("an unknown page", "GET", f"/{quoted}", None, html),
            ("an unknown account", "GET", f"/api/accounts/{quoted}", None, {}),
            ("an unknown profile", "GET", f"/@{quoted}", None, html),
            ("a wrong id", "GET", f"/api/videos/{quoted}", None, {}),
            ("a wrong number", "GET", f"/api/feed?limit={quoted}", None, {}),
            ("a wrong cursor", "GET", f"/api/feed?cursor={quoted}", None, {}),
            ("an unknown field", "POST", "/api/accounts", body, {}),
            ("no JSON", "POST", "/api/accounts", text.encode(), {}),
            ("a wrong method", "DELETE", f"/@{quoted}", None, {}),
            ("a wrong header", "POST", "/api/uploads", b"", {"upload-length": text}),
            ("a NUL", "GET", f"/api/accounts/{quoted}%00", None, {}),
            ("a wrong range", "GET", f"/media/{quoted}/master.m3u8", None, {"range": text}),
            ("a wrong origin", "POST", "/sign-in", b"", {"origin": f"https://{text}.example"}),
            ("a wrong cookie", "GET", "/api/me", None, {"cookie": f"session={text}"}),
            ("a wrong digest", "GET", f"/assets/{quoted}/app.js", None, {}),
        ):
            yield what, self.person.try_call(method, path, data, headers)[2]

    def _take(self, *fields: str) -> str:
        """Return the token of the first field, which the others are to hold too."""
        self.filled |= {*fields}
        for other in fields[1:]:
            self.tokens[other] = self.tokens[fields[0]]
        return self.tokens[fields[0]]
