"""Every address that can be read, asked as everybody, and what is equal in two answers."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from httpx2 import Response
from tests.transfer.shows.law import Law
from tests.transfer.shows.village import Village

from reelm.web.endpoint import STAFF, Endpoint
from reelm.web.routes import ENDPOINTS

Answers = dict[tuple[str, str], "Answer"]
GETTERS = [one for one in ENDPOINTS if one.method == "GET"]
# Asked by these as well: all pages, and all that is the same for everybody.
CLOSELY = ("", "cleo", "officer", "owner")
CREATORS = ("ana", "ben", "shy", "priya", "banned", "frozen_out", "gone", "going", "v09")
EXPORT, COMMENTS = "/api/me/export", "/api/videos/{video_id}/comments"
OF_A_PERSON = ("/me", "/api/feed", "{video_id}", "{handle}")
OF_THE_MODEL = {"/api/feed/model", "/api/feed/topics", "/api/feed/weights"} | {
    "/api/videos/{video_id}/why"
}
# Needed by addresses that are asked by their query.
QUERIES = {
    # Neither page is made from what one watched, nor does it note what it shows.
    "/": "?tab=following",
    "/api/feed": "?tab=following",
    "/oembed": "?url=https://localhost/@ana/{video_id}",
    "/objection": "?about=order&id={order_id}",
    "/api/audit/proof/inclusion": "?index=1&size=5",
    "/api/audit/proof/consistency": "?first=3&second=5",
}


RANGES = ("bytes=0-0", "bytes=3-4999", "bytes=-7")


class Answer(NamedTuple):
    """What came back."""

    endpoint: str
    status: int
    kind: str
    body: bytes


def known(village: Village, law: Law) -> dict[str, list[str]]:
    """Return what stands for each parameter of a path; a new one has to be added here."""
    return {
        "video_id": [str(one) for one in village.videos.values()],
        "handle": list(CREATORS),
        "grievance_id": [village.ids["grievance"], village.ids["objection"]],
        "decision_id": [village.ids["decision"], village.ids["ban"]],
        "order_id": [str(law.orders[name].id) for name in ("remove", "disclose")],
        "document_digest": [law.orders[name].digest for name in ("interim", "secret", "to lift")],
        "period": [f"{village.began:%Y-%m}"],
        "document": ["schema"],
    }


def addresses(endpoint: Endpoint, values: dict[str, list[str]], turn: int, most: int) -> list[str]:
    """Return addresses of an endpoint; of more than so many, some by turns."""
    whole = endpoint.path + QUERIES.get(endpoint.path, "")
    names = re.findall(r"{(\w+)}", whole)
    many = max((len(values[name]) for name in names), default=1)
    every = [
        whole.format(**{name: values[name][n % len(values[name])] for name in names})
        for n in range(many)
    ]
    return every if many <= most else [every[(turn + step * 5) % many] for step in range(most)]


def ask_all(village: Village, law: Law) -> Answers:
    """Ask everything as each of the fifty, and as nobody; sign each in by the old password."""
    values, answers = known(village, law), Answers()
    village.client.cookies.clear()
    for turn, who in enumerate(["", *village.people]):
        if who:
            answers[who, "sign in"] = of("sign in", village.come_in(who))
        asked = list(_asked(who, values, turn))
        got = village.client.get_all([address for _, address in asked])
        for (path, address), answer in zip(asked, got, strict=True):
            answers[who, address] = of(path, answer)
    return answers


def _asked(who: str, values: dict[str, list[str]], turn: int) -> Iterator[tuple[str, str]]:
    is_close = who in CLOSELY
    most = 4 if who and is_close else 2 if who else 99
    for endpoint in GETTERS:
        # An export takes as long as all else together; and to open comments is noted in it.
        if endpoint.path == (COMMENTS if turn % 6 == 1 and not is_close else EXPORT):
            continue
        if is_close or _is_of_a_person(endpoint):
            for address in addresses(endpoint, values, turn, most):
                yield endpoint.path, address


def _is_of_a_person(endpoint: Endpoint) -> bool:
    """Whether the answer is about who asks, and is no page (which shows the same)."""
    path = endpoint.path
    is_told = path.startswith("/api/") and any(one in path for one in OF_A_PERSON)
    return is_told and endpoint.access is not STAFF and path not in OF_THE_MODEL


def of(endpoint: str, answer: Response) -> Answer:
    """Return what is compared of an answer."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    return Answer(endpoint, answer.status_code, kind, answer.content)


def media_of(village: Village) -> dict[str, bytes]:
    """Get parts of every file of a video, as the one who posted it; and a picture of a person."""
    village.as_("ana")
    shown = village.do("GET", f"videos/{village.videos['ana']}")
    files = [one["url"] for one in shown["renditions"]] + [shown["poster_url"]]
    files += [one["url"] for one in shown["captions"]]
    files += [shown["manifest_url"], shown["creator"]["avatar_url"]]
    got = {}
    for file in files:
        for span in RANGES:
            answer = village.client.request("GET", file, headers={"range": span})
            assert answer.status_code == 206, (file, answer.status_code)
            told = (answer.headers[name] for name in ("content-range", "etag", "content-type"))
            got[f"{file} {span}"] = "\n".join(told).encode() + answer.content
    return got
