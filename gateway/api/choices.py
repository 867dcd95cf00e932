"""Which values a field may have, read from the type that a request is decoded into."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from msgspec import inspect


def choices_at(kind: Any, path: Sequence[str], *, of_key: bool = False) -> tuple[str, ...]:
    """
    Return the values that are allowed at a place, sorted; none where any is, or where there is no such place.

    Args:
        path: Names of members; what stands for an element of a list or a value of a mapping may be anything.
        of_key: Whether the keys of the mapping at the place are meant.
    """
    found = _alternatives(_described(kind))
    for step in path:
        found = [inner for each in found for inner in _inside(each, step)]
    if of_key:
        found = [
            key
            for each in found
            if isinstance(each, inspect.DictType)
            for key in _alternatives(each.key_type)
        ]
    return tuple(sorted({str(value) for each in found for value in _values(each)}))


@cache
def _described(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _alternatives(kind: inspect.Type) -> list[inspect.Type]:
    match kind:
        case inspect.UnionType():
            return [inner for each in kind.types for inner in _alternatives(each)]
        case inspect.Metadata():
            return _alternatives(kind.type)
        case _:
            return [kind]


def _inside(kind: inspect.Type, step: str) -> list[inspect.Type]:
    match kind:
        case inspect.StructType():
            return [
                inner
                for each in kind.fields
                if each.encode_name == step
                for inner in _alternatives(each.type)
            ]
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            return _alternatives(kind.item_type)
        case inspect.DictType():
            return _alternatives(kind.value_type)
        case _:
            return []


def _values(kind: inspect.Type) -> Iterable[object]:
    match kind:
        case inspect.LiteralType():
            return kind.values
        case inspect.EnumType():
            return [each.value for each in kind.cls]
        case _:
            return ()
