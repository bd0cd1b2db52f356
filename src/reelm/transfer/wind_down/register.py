"""The register of copies: found by the software, or declared by a person; as the journal has it."""

import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from reelm.foundation.clock import now
from reelm.foundation.errors import Invalid
from reelm.foundation.expected import sentence_of_body
from reelm.proofs.certificate import REQUIRED_COPIES, Copy, Date, Hold, Outcome
from reelm.proofs.sale import Name, Words
from reelm.transfer.wind_down.journal import Journal

# Nothing in these opens anything: what an order holds here is encrypted to a key that is not here,
# or holds no personal data. All else goes, or is handed to whoever ordered it, and declared.
MAY_BE_HELD = ("objects/sealed-copies", "logs")


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A copy that the software cannot see, as a person states it."""

    name: Name
    place: Words
    holder: Name
    holds: Words
    outcome: Outcome
    attested_by: Name
    method: Words = ""
    basis: Annotated[str, Meta(max_length=200)] = ""
    until: Date | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    copy: list[Declared]


def read_declared(path: Path) -> list[Declared]:
    """Read the file of declared copies (docs/wind-down.md).

    Raises:
        Invalid: it is not in the documented form; says where.
    """
    try:
        told = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File).copy
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{path} is not valid TOML: {error}.") from None
    except msgspec.ValidationError as error:
        raise Invalid(f"{path}: {sentence_of_body(error, _File)}") from None
    for one in told:
        _check(one)
    return told


def _check(one: Declared) -> None:
    texts = (one.name, one.place, one.holder, one.holds, one.attested_by, one.method, one.basis)
    if not all(text.isprintable() for text in texts):
        raise Invalid(f"{one.name!r}: the texts hold characters that cannot be shown.")
    if one.outcome == "held":
        check_hold(one.name, one.basis, one.until or "")
    elif not one.method or one.basis or one.until:
        raise Invalid(
            f"{one.name}: say with `method` how it was {one.outcome}; `basis` and `until` are of"
            " copies that are held."
        )


def check_hold(name: str, basis: str, until: str) -> None:
    """Refuse a hold that does not say by what law, or until when.

    Raises:
        Invalid: says what is missing.
    """
    if not basis.strip() or not basis.isprintable():
        raise Invalid(f"{name}: say which order of whom the copy is held for.")
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise Invalid(f"{name}: say until when it is held, such as 2027-03-01.") from None
    if day < now().date():
        raise Invalid(f"{name}: the hold ended on {until}.")


class Register:
    """What the journal says of each copy."""

    def __init__(self, journal: Journal, seller: str) -> None:
        self._journal = journal
        self._seller = seller

    def declare(self, told: Sequence[Declared]) -> None:
        """Take in what a person states; the same again changes nothing.

        Raises:
            Invalid: it speaks of a copy that the software itself destroys.
        """
        known = [line.facts for line in self._journal.of("declared")]
        for one in told:
            if one.name in self.open() and not self._is_lost(one.name):
                raise Invalid(
                    f"{one.name} was found by the software, which destroys it: take it out of the"
                    " declared copies."
                )
            facts = msgspec.to_builtins(one)
            if facts not in known:
                self._journal.append("declared", **facts)

    def hold(self, name: str, basis: str, until: str) -> None:
        """Keep a copy for an order that binds the seller itself.

        Raises:
            Invalid: this copy cannot be held, or the hold is not complete.
        """
        if name not in MAY_BE_HELD:
            raise Invalid(
                f"{name} cannot be held here; {' and '.join(MAY_BE_HELD)} can. Hand over what an"
                " order names to whoever gave it, and declare that copy."
            )
        check_hold(name, basis, until)
        facts = {"name": name, "basis": basis, "until": until}
        if facts not in [line.facts for line in self._journal.of("held")]:
            self._journal.append("held", **facts)

    def held(self, name: str) -> Hold | None:
        """Return the hold under which a copy is kept now."""
        found = [line.facts for line in self._journal.of("held") if line.facts["name"] == name]
        if not found or date.fromisoformat(found[-1]["until"]) < now().date():
            return None
        return Hold(basis=found[-1]["basis"], until=found[-1]["until"])

    def found(self, name: str, place: str, holds: str, *, is_lost: bool = False) -> None:
        """Put a copy on the register, unless it is there and not destroyed yet."""
        last = self._last(name)
        facts = {"name": name, "place": place, "holds": holds, "is_lost": is_lost}
        if last is None or last.kind == "destroyed" or last.facts["is_lost"] != is_lost:
            self._journal.append("found", **facts)

    def begun(self, name: str) -> None:
        """Note that a copy is being destroyed: if it is gone afterwards, that was the cause."""
        if not self.was_begun(name):
            self._journal.append("destroying", name=name)

    def was_begun(self, name: str) -> bool:
        """Whether the destruction of a copy was begun after it was found."""
        lines = self._journal.of("found", "destroying")
        own = [one for one in lines if one.facts["name"] == name]
        return bool(own) and own[-1].kind == "destroying"

    def destroyed(self, name: str, method: str) -> None:
        """Note that a copy is gone."""
        self._journal.append("destroyed", name=name, method=method)

    def open(self) -> list[str]:
        """Return the copies that are still there and not held."""
        names = dict.fromkeys(line.facts["name"] for line in self._journal.of("found"))
        declared = {line.facts["name"] for line in self._journal.of("declared")}
        return [
            name
            for name in names
            if (last := self._last(name)) is not None
            and last.kind == "found"
            and self.held(name) is None
            and not (last.facts["is_lost"] and name in declared)
        ]

    def place(self, name: str) -> Path:
        """Return where a copy lies."""
        return Path(self._facts(name)["place"])

    def was_destroyed(self, name: str) -> bool:
        """Whether a copy was on the register and is gone."""
        last = self._last(name)
        return last is not None and last.kind == "destroyed"

    def lacking(self) -> list[str]:
        """Say of each copy what has to be done or declared before all is accounted for."""
        told = [
            f"{name}: it is not where it was ({self._facts(name)['place']}): declare what became"
            " of it."
            if self._is_lost(name)
            else f"{name}: it is still there."
            for name in self.open()
        ]
        known = {copy.name for copy in self.copies()}
        missing = [name for name in REQUIRED_COPIES if name not in known | set(self.open())]
        return told + [f"{name}: declare what became of it." for name in missing]

    def copies(self) -> list[Copy]:
        """Return each copy that is accounted for, as the certificate names it."""
        copies = {}
        for line in self._journal.of("declared"):
            one = msgspec.convert(line.facts, Declared)
            copies[one.name] = Copy(
                hold=Hold(basis=one.basis, until=one.until) if one.until else None,
                at=line.at,
                **{name: getattr(one, name) for name in _SHARED},
            )
        for name in dict.fromkeys(line.facts["name"] for line in self._journal.of("found")):
            copy = self._own(name)
            if copy is not None:
                copies[name] = copy
        return list(copies.values())

    def _own(self, name: str) -> Copy | None:
        last, hold, facts = self._last(name), self.held(name), self._facts(name)
        if last is None or (last.kind == "found" and hold is None):
            return None
        is_held = last.kind == "found"
        return Copy(
            name=name,
            place=facts["place"],
            holder=self._seller,
            holds=facts["holds"],
            outcome="held" if is_held else "destroyed",
            method="" if is_held else last.facts["method"],
            at=last.at,
            hold=hold if is_held else None,
            attested_by="",
        )

    def _last(self, name: str) -> Any:
        lines = [one for one in self._journal.of("found", "destroyed") if one.facts["name"] == name]
        return lines[-1] if lines else None

    def _facts(self, name: str) -> dict[str, Any]:
        lines = [line for line in self._journal.of("found") if line.facts["name"] == name]
        return lines[-1].facts

    def _is_lost(self, name: str) -> bool:
        return bool(self._facts(name)["is_lost"])


_SHARED = ("name", "place", "holder", "holds", "outcome", "method", "attested_by")
