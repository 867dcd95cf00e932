"""Reading a JSON body straight into the struct that a route declares."""

import re
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any, Final, TypeAlias, TypeVar

import msgspec
from litestar import Request
from litestar.datastructures import State

from gateway.api.field_errors import nul_refusal, refusal_of_body
from gateway.api.refusals import Refusal
from tenants.access.credential import KeyScope
from tenants.complaints import Tried
from tenants.scope import TenantScope

_T = TypeVar("_T")
_READ_AGAIN: Final = 1 << 16
"""Bytes of a wrong body that is read a few times more, to name the member of a map that is wrong."""
_Json: TypeAlias = "str | float | bool | list[_Json] | dict[str, _Json] | None"
PLAIN_JSON: Final = frozenset(
    {b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8"}
)
_ANY_JSON: Final = re.compile(rb"application/json\s*(;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.IGNORECASE)
_ESCAPED: Final = rb"(?<!\\)(?:\\\\)*"
_HIGH: Final = rb"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW: Final = rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF_A_PAIR: Final = re.compile(rb"%b(%b(?!%b)|(?<!%b)%b)" % (_ESCAPED, _HIGH, _LOW, _HIGH, _LOW))
_ESCAPED_NUL: Final = re.compile(_ESCAPED + rb"\\u0000")


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
    try:
        if b"\\u0000" in body and _ESCAPED_NUL.search(body):
            raise nul_refusal(path_to_nul(msgspec.json.decode(body)) or ())
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise refusal_of_body(str(error), _tried(body, decoder), decoder.type) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("invalid_json", f"The body is not JSON: {_reason(error, body)}.") from error


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


def path_to_nul(value: _Json) -> tuple[str, ...] | None:
    """Return the way to the first text or name that holds U+0000; a name's way ends at the object."""
    if isinstance(value, str):
        return () if "\x00" in value else None
    if isinstance(value, dict):
        if any("\x00" in name for name in value):
            return ()
        return _path_inside(value.items())
    if isinstance(value, list):
        return _path_inside((str(at), each) for at, each in enumerate(value))
    return None


def _path_inside(members: Iterable[tuple[str, _Json]]) -> tuple[str, ...] | None:
    found = ((name, path_to_nul(each)) for name, each in members)
    return next(((name, *path) for name, path in found if path is not None), None)


def _reason(error: Exception, body: bytes) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    half = _HALF_A_PAIR.search(body)
    if half is not None:
        return f"{half[1].decode('ascii')} is half of a surrogate pair, which is no character; remove it"
    return str(error)
