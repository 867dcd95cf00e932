"""The structs inside the bodies of routes, however deep; what OpenAPI and a test say of them."""

from collections.abc import Iterable, Iterator
from typing import Any, get_args

from litestar.handlers import HTTPRouteHandler
from msgspec import inspect

_INSIDE = ("type", "item_type", "key_type", "value_type")


def body_structs(handlers: Iterable[HTTPRouteHandler]) -> Iterator[inspect.StructType]:
    """Return every struct that a caller of these routes may write."""
    for handler in handlers:
        body: Any = handler.fn.__annotations__.get("data")
        if body is not None:
            yield from _structs(inspect.type_info(get_args(body)[0]))


def _structs(info: inspect.Type) -> Iterator[inspect.StructType]:
    if isinstance(info, inspect.StructType):
        yield info
        for field in info.fields:
            yield from _structs(field.type)
    if isinstance(info, inspect.UnionType):
        for part in info.types:
            yield from _structs(part)
    for name in _INSIDE:
        inner = getattr(info, name, None)
        if isinstance(inner, inspect.Type):
            yield from _structs(inner)
