"""JSON that was signed: nothing is passed over, neither an unknown field nor one given twice."""

import json
from collections import Counter
from typing import Any, TypeVar

import msgspec
import rfc8785

from reelm.foundation.errors import Invalid
from reelm.foundation.expected import sentence_of_body

T = TypeVar("T")


def canonical(value: Any) -> bytes:
    """Return the one JSON text of a struct or dict, which is what is signed (RFC 8785)."""
    return rfc8785.dumps(msgspec.to_builtins(value))


def decoded(text: bytes, kind: type[T], what: str) -> T:
    """Return JSON as a value of a type whose structs forbid unknown fields.

    Args:
        text: the JSON.
        kind: the type.
        what: how the sentence of an error begins.

    Raises:
        Invalid: it is no JSON, of another type, or an object names a field twice; says where.
    """
    try:
        value = msgspec.json.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise Invalid(f"{what}: {sentence_of_body(error, kind)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Invalid(f"{what}: it is not valid JSON.") from None
    # Of two fields with one name the decoder takes the last and says nothing of the first.
    twice = list[str]()
    json.loads(text, object_pairs_hook=lambda pairs: twice.extend(_repeated(pairs)))
    if twice:
        raise Invalid(f"{what}: {twice[0]} is given twice.")
    return value


def _repeated(pairs: list[tuple[str, Any]]) -> list[str]:
    return [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
