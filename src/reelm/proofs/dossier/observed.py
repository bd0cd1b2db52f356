"""What was done, asked and answered while the sale went on, as it was written down then.

Nobody signed these answers when they were given. A line shows what whoever made the report saw:
which command ended how, which address answered with which status and which bytes.
"""

import msgspec

from reelm.foundation.strict_json import canonical, decoded

FILE = "observed.jsonl"
HTTP = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Observed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that was done, and what came of it.

    `act` is the part of the story, `about` what it is about there (such as a video's id). `did` is
    a command line, or method and path; `code` its exit status, or the status of the answer.
    `digest` is SHA-256 of the answer's body, empty for a command.
    """

    at: str
    act: str
    who: str
    place: str
    about: str
    did: str
    code: int
    digest: str
    said: str

    @property
    def is_http(self) -> bool:
        """Whether it was a request."""
        return self.did.split(" ", 1)[0] in HTTP


def observed_line(one: Observed) -> bytes:
    """Return the line of an observation."""
    return canonical(one) + b"\n"


def read_observed(text: bytes) -> list[Observed]:
    """Read all lines.

    Raises:
        Invalid: one is not in the form above; says which.
    """
    return [
        decoded(line, Observed, f"Line {number} is no observation")
        for number, line in enumerate(text.splitlines(), 1)
    ]


def sentence(one: Observed) -> str:
    """Return what a line says."""
    came = f"{one.code}" if one.is_http else f"exit status {one.code}"
    said = f" {one.said}" if one.said else ""
    return " ".join(f"{one.at} {one.who}, {one.place}: {one.did}: {came}.{said}".split())
