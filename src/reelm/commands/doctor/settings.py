"""The settings: every fault at once, not only the first."""

import os
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from reelm.commands.doctor.check import Check, fail, ok, warn
from reelm.foundation.config import Settings, describe, load
from reelm.foundation.errors import BadSetting

NAME = "settings"
MEND = "Correct it in region.toml or the environment; `reelm settings` lists what there is."
# Variables of ours that are no settings.
OTHERS = ("REELM_REGION", "REELM_TEST_")
# Settings that are right, to try one variable of the environment by itself.
PLAIN = {"region": {"number": 0, "name": "x", "jurisdiction": "neutral", "operator": "x"}}


def check_settings(home: Path, environ: Mapping[str, str] = os.environ) -> Iterator[Check]:
    """Yield a fault for each setting that is wrong, in region.toml or the environment."""
    faults = [*_faults_of_file(home / "region.toml"), *_faults_of_variables(environ)]
    if not faults:
        try:
            load(home, environ)
        except BadSetting as error:
            faults.append(error.sentence)
    for fault in faults:
        yield fail(NAME, fault, MEND)
    unknown = _unknown(environ)
    for variable in unknown:
        yield warn(NAME, f"{variable} is no setting, so it does nothing.", MEND)
    if not faults and not unknown:
        yield ok(NAME, "region.toml and the environment are valid.")


def _faults_of_file(path: Path) -> list[str]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return [f"There is no region at {path.parent}: make one with `reelm init`."]
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [f"{path} cannot be read: {error}."]
    sections = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    faults = [f"[{name}] is no section of region.toml." for name in tables if name not in sections]
    for name, section in sections.items():
        table = tables.get(name, {})
        if isinstance(table, dict):
            faults += _faults_of_section(name, section, table)
        else:
            faults.append(f"{name} has to be a section: [{name}].")
    return faults


def _faults_of_section(name: str, section: Any, table: dict[str, Any]) -> Iterator[str]:
    fields = {field.name: field for field in msgspec.structs.fields(section)}
    for key in table.keys() - fields.keys():
        yield f"{name}.{key} is no setting."
    for key, field in fields.items():
        if key in table:
            try:
                msgspec.convert(table[key], field.type)
            except msgspec.ValidationError as error:
                # Without its value: some are secret.
                yield f"{name}.{key} in region.toml is wrong: {error}."
        elif field.required:
            yield f"{name}.{key} is missing in region.toml."


def _faults_of_variables(environ: Mapping[str, str]) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "region.toml").write_text(tomli_w.dumps(PLAIN), "utf-8")
        for name, variable, _, _ in describe():
            if variable in environ:
                try:
                    load(Path(folder), {variable: environ[variable]})
                except BadSetting as error:
                    why = str(error.__context__ or error.sentence)
                    yield f"{variable} in the environment is wrong for {name}: {why}."


def _unknown(environ: Mapping[str, str]) -> list[str]:
    known = {variable for _, variable, _, _ in describe()}
    ours = (name for name in environ if name.startswith("REELM_") and not name.startswith(OTHERS))
    return sorted(name for name in ours if name not in known)
