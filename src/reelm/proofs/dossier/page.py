"""The page for people: made from the claims, and read again to see that it says nothing else."""

from collections.abc import Iterable, Sequence
from html.parser import HTMLParser
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from reelm.proofs.dossier import served
from reelm.proofs.dossier.claims import Claim
from reelm.proofs.dossier.observed import Observed, sentence
from reelm.proofs.dossier.papers import Papers

LINE = "observed"
# How operators of a demo end their names.
DEMO = "(not a real company)"


def render(papers: Papers, claims: Sequence[Claim]) -> bytes:
    """Return the page, in one file that loads nothing."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(
        files("reelm.proofs.dossier").joinpath("page.html").read_text("utf-8")
    )
    parts: dict[str, list[Claim]] = {}
    for claim in claims:
        parts.setdefault(claim.part, []).append(claim)
    acts: dict[str, list[tuple[str, Observed]]] = {}
    for key, one in _lines(papers.observed):
        acts.setdefault(one.act, []).append((key, one))
    page = template.render(
        scope=papers.scope,
        digest=papers.scope_digest,
        cutover=papers.cutover,
        parts=parts,
        acts=acts,
        sentence=sentence,
        names=papers.names,
        met=served.PART,
        is_demo=papers.scope.seller.operator.endswith(DEMO),
    )
    return page.encode()


def expected(papers: Papers, claims: Iterable[Claim]) -> dict[str, str]:
    """Return all that the page claims, by its key."""
    told = {claim.id: claim.sentence for claim in claims}
    return told | {key: sentence(one) for key, one in _lines(papers.observed)}


def read_page(text: bytes) -> dict[str, str]:
    """Return what a page claims: the text of each element with the attribute data-claim."""
    reader = _Reader()
    reader.feed(text.decode("utf-8", "replace"))
    reader.close()
    return {key: " ".join(words.split()) for key, words in reader.found.items()}


def _lines(observed: Sequence[Observed]) -> Iterable[tuple[str, Observed]]:
    return ((f"{LINE}.{number}", one) for number, one in enumerate(observed, 1))


class _Reader(HTMLParser):
    """Collects the text of elements with data-claim, which hold no other elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, str] = {}
        self._key = ""

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._key = dict(attrs).get("data-claim") or ""
        if self._key:
            self.found[self._key] = ""

    def handle_endtag(self, _tag: str) -> None:
        self._key = ""

    def handle_data(self, data: str) -> None:
        if self._key:
            self.found[self._key] += data
