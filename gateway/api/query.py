"""The query parameters of a route: unknown and repeated ones are refused, as unknown JSON fields are."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, cast, get_args, get_origin
from urllib.parse import parse_qsl

from litestar import Request
from litestar.exceptions import ValidationException
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter
from msgspec import Struct

from gateway.api.choices import choices_at
from gateway.api.field_errors import refusal_of_query, unknown_query_parameter
from gateway.api.refusals import Refusal
from gateway.plain_numbers import whole_number

_EMPTY_BODY: Final = "The body is empty; send a JSON object."
_NO_NUMBER: Final = "It has to be a whole number in plain digits, such as 50."


class _Declared(Struct, frozen=True, kw_only=True):
    name: str
    """On the wire; in the code it may be another, such as `since` for `from`."""
    kind: Any
    required: bool

    @property
    def many(self) -> bool:
        return any(get_origin(each) is list for each in (self.kind, *get_args(self.kind)))

    @property
    def whole(self) -> bool:
        return int in (self.kind, *get_args(self.kind))


def refuse_wrong_query(request: Request[Any, Any, Any]) -> None:
    """
    Let through a request whose every query parameter the route declares, each given once.

    Raises:
        Refusal: 422 naming the first other one, one that holds U+0000 or writes a number as no caller of
            another language would read it (`1e1`, `10.0`), or one that is there twice.
    """
    query: bytes = request.scope["query_string"]
    if not query:
        return
    known = _on_the_wire(request.route_handler)
    seen: set[str] = set()
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in known:
            raise unknown_query_parameter(name)
        if "\x00" in value:
            raise Refusal.of_field(f"?{name}", "invalid", "The character U+0000 cannot be looked for.")
        if known[name].whole and whole_number(value) is None:
            raise Refusal.of_field(f"?{name}", "invalid", _NO_NUMBER)
        if name in seen and not known[name].many:
            raise Refusal.of_field(f"?{name}", "repeated", f"Give {name!r} once: one value would be lost.")
        seen.add(name)


def refusal_of_parameters(error: ValidationException, request: Request[Any, Any, Any]) -> Refusal:
    """Return the 422 for what Litestar could not read: it names the first, by its name in the code."""
    declared = _declared(request.route_handler)
    named = cast("list[dict[str, Any]]", error.extra if isinstance(error.extra, list) else [])
    if not named:
        return _missing(request, declared)
    key = str(named[0].get("key", ""))
    if key == "data":
        return Refusal("invalid_json", _EMPTY_BODY)
    parameter = declared.get(key)
    complaint = str(named[0].get("message", "It is not valid"))
    if parameter is None:
        return refusal_of_query(complaint, key)
    return refusal_of_query(complaint, parameter.name, choices=choices_at(parameter.kind, ()))


def _missing(request: Request[Any, Any, Any], declared: Mapping[str, _Declared]) -> Refusal:
    given = {name for name, _ in parse_qsl(request.scope["query_string"].decode("latin-1"))}
    lacking = [each.name for each in declared.values() if each.required and each.name not in given]
    if not lacking:
        return Refusal("validation_failed")
    return Refusal.of_field(f"?{lacking[0]}", "required", f"The query parameter {lacking[0]!r} is required.")


@cache
def _declared(handler: BaseRouteHandler) -> Mapping[str, _Declared]:
    """A route's own parameters and those of what it depends on, by their names in the code."""
    signatures = [
        handler.parsed_fn_signature,
        *(provided.parsed_fn_signature for provided in handler.resolve_dependencies().values()),
    ]
    return {
        name: _Declared(
            name=field.kwarg_definition.name or name, kind=field.annotation, required=field.is_required
        )
        for signature in signatures
        for name, field in signature.parameters.items()
        if isinstance(field.kwarg_definition, QueryParameter)
    }


@cache
def _on_the_wire(handler: BaseRouteHandler) -> Mapping[str, _Declared]:
    """What a route declares, by the names that callers give."""
    return {each.name: each for each in _declared(handler).values()}
