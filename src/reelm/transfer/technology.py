"""The inventory of technology assets, made by the software: what runs here, with its digests."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import get_args

import msgspec
from sqlalchemy.orm import Session

import reelm
from reelm import audit, feed, regions
from reelm.audit.materials import running_bill
from reelm.foundation.clock import utc_text
from reelm.foundation.config import Settings
from reelm.foundation.countries import require_countries
from reelm.foundation.errors import Invalid, Unavailable
from reelm.proofs.sale import Asset, Disposition
from reelm.videos.programs import programs

MODEL = "model"
DISPOSITIONS: tuple[str, ...] = get_args(Disposition)
About = dict[str, str | int | list[str]]


class Choices(msgspec.Struct, frozen=True):
    """What is chosen for a sale, by the name of the asset.

    Args:
        dispositions: what becomes of an asset.
        terms: on which terms.
        export_controlled: assets that are so, beside those that the settings name.
        origin: country of origin; empty: what the settings say.
    """

    dispositions: Mapping[str, str] = {}
    terms: Mapping[str, str] = {}
    export_controlled: frozenset[str] = frozenset()
    origin: str = ""


def inventory(session: Session, settings: Settings, choices: Choices) -> list[Asset]:
    """Return every technology asset of the region, with what becomes of it.

    Raises:
        Invalid: a name or disposition is none, or an asset that is export-controlled has no
            disposition of its own, or no origin.
        Unavailable: a program is not there, so it cannot be listed.
    """
    found = list(_assets(session, settings))
    controlled = {*settings.technology.export_controlled, *choices.export_controlled}
    names = [name for name, _, _, _ in found]
    for name in (*choices.dispositions, *choices.terms, *sorted(controlled)):
        if name not in names:
            raise Invalid(f"There is no technology asset {name}; there are: {', '.join(names)}.")
    origin = choices.origin or settings.technology.origin
    require_countries(filter(None, [origin]), what="origin")
    return [
        msgspec.convert(
            {
                "name": name,
                "kind": kind,
                "digest": digest,
                "origin": origin,
                "export_controlled": name in controlled,
                "disposition": _disposition(name, choices, origin, controlled=name in controlled),
                "terms": choices.terms.get(name, ""),
                "about": about,
            },
            Asset,
        )
        for name, kind, digest, about in found
    ]


def _disposition(name: str, choices: Choices, origin: str, *, controlled: bool) -> str:
    chosen = choices.dispositions.get(name)
    if controlled and not origin:
        raise Invalid(
            f"The asset {name} is export-controlled: say by which country, with --origin or the"
            " setting technology.origin."
        )
    if controlled and chosen is None:
        raise Invalid(
            f"The asset {name} is export-controlled by {origin}: say what becomes of it, as in"
            f" --asset {name}=exclude; to transfer or license it, its authority has to agree."
        )
    if chosen is None:
        return "transfer"
    if chosen not in DISPOSITIONS:
        raise Invalid(f"{chosen} is no disposition of an asset: {', '.join(DISPOSITIONS)}.")
    if chosen == "retrain" and name != MODEL:
        raise Invalid(f"Only the model can be retrained, and not {name}.")
    return chosen


def _assets(session: Session, settings: Settings) -> Iterator[tuple[str, str, str, About]]:
    """Yield name, kind, digest and what the digest is of."""
    files = programs(settings)
    about: About = {"version": reelm.__version__, "digest_of": "the installed code"}
    yield "release", "release", audit.code_digest(), about
    bill = running_bill(files)
    about = {"materials": len(bill.materials), "digest_of": "the CycloneDX document"}
    yield "sbom", "sbom", bill.digest, about
    yield ("ffmpeg", "ffmpeg", *_ffmpeg(files["ffmpeg"]))
    for name, text in regions.pack_texts(settings.region.jurisdiction).items():
        about = {"file": f"{name}.toml", "digest_of": "the file"}
        name = f"policy-pack-{name.replace('/', '-')}"  # noqa: PLW2901 - the same, as a word
        yield name, "policy_pack", hashlib.sha256(text).hexdigest(), about
    yield (MODEL, "model", *_model(session))


@cache
def _ffmpeg(given: Path) -> tuple[str, About]:
    found = shutil.which(given)
    if found is None:
        raise Unavailable(f"The program {given} is not there, so it cannot be listed.")
    ran = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)
    version = (ran.stdout.splitlines() or [""])[0]
    with Path(found).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return digest, {"version": version, "digest_of": "the binary"}


def _model(session: Session) -> tuple[str, About]:
    model = feed.trained_model(session)
    if model is None:
        return "", {"digest_of": "nothing: no snapshot is stored yet"}
    about: About = {
        "digest_of": "the newest snapshot of the ranker's state",
        "made_at": utc_text(model.made_at),
        "last_seq": str(model.last_seq),
        "code_digests": model.code_digests,
    }
    if model.first_seq is not None:
        about["first_seq"] = str(model.first_seq)
    for name, time in (("first_at", model.first_at), ("last_at", model.last_at)):
        if time is not None:
            about[name] = utc_text(time)
    return model.digest, about
