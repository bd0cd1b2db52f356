"""Bodies of requests: read within bounds, and decoded."""

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from reelm.foundation.errors import Invalid, TooLarge
from reelm.foundation.expected import sentence_of_body


async def read_body(request: Request, most_bytes: int) -> bytes:
    """Return the whole body.

    Raises:
        TooLarge: it has more than `most_bytes`; the rest is not read.
    """
    announced = request.headers.get("content-length", "0")
    chunks, total = [], 0
    if announced.isdecimal() and int(announced) > most_bytes:
        raise TooLarge(f"The body may have at most {most_bytes:,} bytes.")
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The connection ended before the whole body had arrived.")
        chunk, more = message.get("body", b""), message.get("more_body", False)
        total += len(chunk)
        if total > most_bytes:
            raise TooLarge(f"The body may have at most {most_bytes:,} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


def json_body(data: bytes, kind: Any) -> Any:
    """Return a JSON body as a value of a type.

    Raises:
        Invalid: it is none, and says where.
    """
    if b"\\u0000" in data:
        # PostgreSQL's text cannot hold it, and no text of a person needs it.
        raise Invalid("The body holds a NUL character.")
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise Invalid(sentence_of_body(error, kind)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Invalid("The body is not valid JSON.") from None
    except RecursionError:
        raise Invalid("The body is nested too deeply.") from None


def form_body(data: bytes) -> dict[str, str]:
    """Return the fields of a plain form.

    Raises:
        Invalid: it is none.
    """
    try:
        form = dict(parse_qsl(data.decode("utf-8"), keep_blank_values=True, max_num_fields=50))
    except ValueError:
        raise Invalid("The form could not be read.") from None
    if any("\x00" in value for value in form.values()):
        raise Invalid("The form holds a NUL character.")
    return form
