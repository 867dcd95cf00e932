"""Reading a JSON body straight into the struct that a route declares."""

import re
from contextlib import suppress
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request
from litestar.datastructures import State

from gateway.api.field_errors import refusal_of_body
from gateway.api.refusals import Refusal
from tenants.access.credential import KeyScope
from tenants.complaints import Tried
from tenants.scope import TenantScope

_T = TypeVar("_T")
_READ_AGAIN: Final = 1 << 16
"""Bytes of a wrong body that is read a few times more, to name the member of a map that is wrong."""
PLAIN_JSON: Final = frozenset(
    {b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"}
)
_ANY_JSON: Final = re.compile(rb"application/json\s*(;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.IGNORECASE)
_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class ApiRequest(Request[tuple[KeyScope, ...], TenantScope, State]):
    """
    A request whose JSON is decoded once, into the declared type.

    Litestar's own reading goes over plain dicts and back, which costs twice and loses the complaint's path.
    """

    async def json(self) -> Any:
        """
        Return the body as the type of the route's `data`.

        Raises:
            Refusal: The content type, the JSON or a field is wrong.
        """
        self._refuse_other_types()
        decoder = _decoder(self.route_handler.parsed_data_field.annotation)  # type: ignore[union-attr] # only routes with `data` get here
        return decoded(await self.body(), decoder)

    def _refuse_other_types(self) -> None:
        for name, value in self.scope["headers"]:
            if name == b"content-type":
                if value in PLAIN_JSON or _ANY_JSON.fullmatch(value):
                    return
                break
        raise Refusal("unsupported_media_type")


def decoded(body: bytes, decoder: msgspec.json.Decoder[_T]) -> _T:
    """
    Return the body as the decoder's type.

    Raises:
        Refusal: The JSON or a field is wrong.
    """
    if b"\\u0000" in body and _ESCAPED_NUL.search(body):
        raise Refusal("validation_failed", "The character U+0000 cannot be stored; remove it.")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise refusal_of_body(str(error), _tried(body, decoder)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("invalid_json", f"The body is not JSON: {_reason(error)}.") from error


def _tried(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Tried | None:
    """Return what it takes to name the member of a map; None for a long body, or one broken further on."""
    if len(body) > _READ_AGAIN:
        return None
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Tried(msgspec.json.decode(body), lambda value: decoder.decode(msgspec.json.encode(value)))
    return None


@cache
def _decoder(body_type: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(body_type)


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
