"""What a value has to be, in a sentence for a person: no regular expression, no type's name."""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import inspect

NOT_A_CURSOR = "The cursor is not one that was given out here; ask again without it."

_PLACE = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_FIELD = re.compile(r"`(?P<name>[^`]*)`")


def sentence_of(name: str, hint: Any) -> str:
    """Return what the value `name` of a type has to be."""
    if name == "cursor":
        return NOT_A_CURSOR
    return _sentence(name, inspect.type_info(hint))


def sentence_of_body(error: msgspec.ValidationError, kind: Any) -> str:
    """Return what is wrong with a JSON body that was to be of a type, and where."""
    words = str(error)
    place = _PLACE.search(words)
    steps = re.findall(r"[A-Za-z_]\w*|\[[^]]*\]", place["path"]) if place else []
    field = _FIELD.search(words)
    if field is not None and words.startswith("Object missing required field"):
        return f"{_named([*steps, field['name']])} is missing."
    if field is not None and words.startswith("Object contains unknown field"):
        return f"{_named([*steps, field['name']])} is not a field that can be given here."
    found = inspect.type_info(kind)
    for step in steps:
        found = _inside(found, step)
    return _sentence(_named(steps), found)


def _named(steps: list[str]) -> str:
    """Return the name of a place in a body, such as watches[0].video_id."""
    return ".".join(steps).replace(".[", "[") or "The body"


def _inside(found: inspect.Type, step: str) -> inspect.Type:
    for one in _choices(found):
        if isinstance(one, inspect.StructType):
            of_step = [field.type for field in one.fields if field.encode_name == step]
            if of_step:
                return of_step[0]
        if isinstance(one, inspect.ListType | inspect.VarTupleType):
            return one.item_type
        if isinstance(one, inspect.DictType):
            return one.value_type
    return inspect.AnyType()


def _choices(found: inspect.Type) -> list[inspect.Type]:
    """Return the types that a value may have, without null."""
    if isinstance(found, inspect.Metadata):
        return _choices(found.type)
    if isinstance(found, inspect.UnionType):
        return [one for kind in found.types for one in _choices(kind)]
    return [] if isinstance(found, inspect.NoneType) else [found]


def _sentence(name: str, found: inspect.Type) -> str:
    choices = _choices(found)
    if len(choices) == 1 and isinstance(choices[0], inspect.StrType) and choices[0].pattern:
        return f"{name} has to be {_spelled(found, choices[0].pattern)}."
    words = _WORDS.get(type(choices[0])) if len(choices) == 1 else None
    return f"{name} {words(choices[0]) if words else 'is not as it has to be'}."


def _spelled(found: inspect.Type, pattern: str) -> str:
    if pattern.endswith("[0-9]{0,18}$"):
        return "an id, as given out here"
    return _description(found) or "spelled as /api/openapi.json says"


def _description(found: inspect.Type) -> str:
    """Return a type's own description, to go on a sentence with; empty where it has none."""
    if isinstance(found, inspect.UnionType):
        return next(filter(None, map(_description, found.types)), "")
    words: str = (getattr(found, "extra_json_schema", None) or {}).get("description", "")
    goes_on = words[:1].lower() + words[1:] if words[1:2].islower() else words
    return goes_on.removesuffix(".")


def _bounds(number: inspect.IntType | inspect.FloatType) -> str:
    match number.ge, number.le:
        case None, None:
            return ""
        case least, None:
            return f", {least:,} or more"
        case None, most:
            return f", {most:,} or less"
        case least, most:
            return f" from {least:,} to {most:,}"


def _text(text: inspect.StrType) -> str:
    if text.min_length and text.max_length:
        return f"a text of {text.min_length:,} to {text.max_length:,} characters"
    return f"a text of at most {text.max_length:,} characters" if text.max_length else "a text"


_WORDS: dict[type[inspect.Type], Callable[[Any], str]] = {
    inspect.LiteralType: lambda of: f"is none of {', '.join(filter(None, map(str, of.values)))}",
    inspect.EnumType: lambda of: f"is none of {', '.join(str(one.value) for one in of.cls)}",
    inspect.BoolType: lambda _: "has to be true or false",
    inspect.IntType: lambda of: f"has to be a whole number{_bounds(of)}",
    inspect.FloatType: lambda of: f"has to be a number{_bounds(of)}",
    inspect.StrType: lambda of: f"has to be {_text(of)}",
    inspect.ListType: lambda of: (
        f"has to be a list of at most {of.max_length:,}" if of.max_length else "has to be a list"
    ),
    inspect.StructType: lambda _: "has to be an object with named fields",
    inspect.DateType: lambda _: "has to be a date such as 2000-12-31",
    inspect.DateTimeType: lambda _: "has to be a time such as 2000-12-31T18:00:00Z",
}
