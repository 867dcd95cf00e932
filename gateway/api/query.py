"""Query parameters are refused when the route has none of that name, as unknown JSON fields are."""

from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request
from litestar.handlers import BaseRouteHandler
from litestar.params import QueryParameter

from gateway.api.field_errors import unknown_query_parameter
from gateway.api.refusals import Refusal


def refuse_unknown_query(request: Request[Any, Any, Any]) -> None:
    """
    Let through a request whose every query parameter the route declares.

    Raises:
        Refusal: 422 naming the first other one, or one that holds U+0000.
    """
    query: bytes = request.scope["query_string"]
    if not query:
        return
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in _declared(request.route_handler):
            raise unknown_query_parameter(name)
        if "\x00" in value:
            raise Refusal.of_field(f"?{name}", "invalid", "The character U+0000 cannot be looked for.")


@cache
def _declared(handler: BaseRouteHandler) -> frozenset[str]:
    """A route's own parameters and those of what it depends on."""
    signatures = [
        handler.parsed_fn_signature,
        *(provided.parsed_fn_signature for provided in handler.resolve_dependencies().values()),
    ]
    return frozenset(
        field.kwarg_definition.name or name
        for signature in signatures
        for name, field in signature.parameters.items()
        if isinstance(field.kwarg_definition, QueryParameter)
    )
