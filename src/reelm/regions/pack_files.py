"""The files of policy packs.

`packs/IN.toml` is the pack of a country. `packs/EU.toml` is one that several countries apply: it
names its members, and `packs/EU/FR.toml` holds the facts in which one of them differs.
"""

import tomllib
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from reelm.foundation.errors import Invalid
from reelm.regions.policy import PolicyPack

WRONG = "The policy pack {name} is wrong: {error}."


def packs() -> list[str]:
    """Return the names of the packs, such as EU; `jurisdictions` says what a region may choose."""
    names = (entry.name for entry in _folder().iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


@cache
def jurisdictions() -> dict[str, str]:
    """Return what a region may choose, and the name of the pack that holds there."""
    chosen = {}
    for name in packs():
        members = read_pack(name).members
        chosen.update(dict.fromkeys(members, name) if members else {name: name})
    return dict(sorted(chosen.items(), key=lambda item: (item[0].islower(), item[0])))


@cache
def load_pack(jurisdiction: str) -> PolicyPack:
    """Return what holds in a jurisdiction; for a member of a union its pack and the overlay.

    Raises:
        Invalid: there is no such jurisdiction, with those there are; or the file is wrong, with
            the key.
    """
    there = jurisdictions()
    if jurisdiction not in there:
        sentence = f"There is no policy pack for {jurisdiction!r}; there are: {', '.join(there)}."
        if jurisdiction in packs():
            sentence = (
                f"A region is in one country: of {jurisdiction}, choose one of "
                f"{', '.join(read_pack(jurisdiction).members)}."
            )
        raise Invalid(sentence)
    name = there[jurisdiction]
    if name == jurisdiction:
        return read_pack(name)
    overlay = _folder() / name / f"{jurisdiction}.toml"
    text = overlay.read_text("utf-8") if overlay.is_file() else f'member = "{jurisdiction}"'
    return parse_pack(text, name=f"{name}/{jurisdiction}.toml")


def pack_texts(jurisdiction: str) -> dict[str, bytes]:
    """Return the files that hold in a jurisdiction: name, such as EU or EU/DE, and bytes.

    Raises:
        Invalid: there is no such jurisdiction.
    """
    load_pack(jurisdiction)
    name = jurisdictions()[jurisdiction]
    names = dict.fromkeys((name, f"{name}/{jurisdiction}"))
    files = {one: _folder() / f"{one}.toml" for one in names}
    return {one: file.read_bytes() for one, file in files.items() if file.is_file()}


@cache
def read_pack(name: str) -> PolicyPack:
    """Read and check one pack as its file has it; of a union without any overlay."""
    pack = parse_pack((_folder() / f"{name}.toml").read_text("utf-8"), name=f"{name}.toml")
    if pack.jurisdiction != name:
        raise Invalid(f"{name}.toml says that it is the pack of {pack.jurisdiction!r}.")
    return pack


def parse_pack(text: str, *, name: str) -> PolicyPack:
    """Check the text of a pack or of a member's overlay; `name` is said in the error.

    Raises:
        Invalid: with the key that is wrong, unknown or missing.
    """
    try:
        table = tomllib.loads(text)
        if "member" in table:
            table = _applied(table, name)
        return msgspec.convert(table, PolicyPack)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Invalid(WRONG.format(name=name, error=error)) from None


def _applied(overlay: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the pack of the union that the overlay's member belongs to, with its facts put in."""
    member = overlay.pop("member")
    whole = next((read_pack(pack) for pack in packs() if member in read_pack(pack).members), None)
    if whole is None:
        raise Invalid(WRONG.format(name=name, error=f"no pack has a member {member!r}"))
    ours = {"jurisdiction", "name", "countries", "members"} & set(overlay)
    if ours:
        error = f"an overlay holds facts only, and not {', '.join(sorted(ours))}"
        raise Invalid(WRONG.format(name=name, error=error))
    facts: dict[str, Any] = msgspec.to_builtins(whole)
    own = {"name": whole.members[member], "countries": [member], "members": {}}
    return facts | {"jurisdiction": member} | own | overlay


def _folder() -> Traversable:
    return resources.files("reelm.regions") / "packs"
