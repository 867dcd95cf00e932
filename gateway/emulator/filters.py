"""Filters of Describe and List actions: OR within the values of a filter, AND across filters."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from gateway.emulator.errors import validation

T = TypeVar("T")

Readers = Mapping[str, Callable[[T], str | bool | Iterable[str] | None]]
"""Filter name -> what it looks at: text, a flag, several texts, or None when absent."""

FLAGS = {"true", "false"}


def filtered(
    items: Iterable[T], filters: list[dict[str, Any]] | None, readers: Readers[T], *, any_of: bool = False
) -> list[T]:
    """
    Return the items that pass the filters.

    Args:
        items: What to choose from.
        filters: ``{"Name", "Values"}`` pairs of the request.
        readers: How each filter reads an item.
        any_of: OR across filters instead of AND.
    """
    if not filters:
        return list(items)
    for entry in filters:
        _check_values(entry, readers)
    combine = any if any_of else all
    return [
        item
        for item in items
        if combine(_passes(readers[entry["Name"]](item), set(entry["Values"])) for entry in filters)
    ]


def _check_values(entry: dict[str, Any], readers: Readers[Any]) -> None:
    name: str = entry["Name"]
    if name not in readers:
        raise validation("INVALID_FILTER_VALUES", f"The filter {name} is not supported", "Filters")
    if name.endswith("-enabled") or name in FLAG_FILTERS:
        wrong = [value for value in entry["Values"] if value.lower() not in FLAGS]
        if wrong:
            raise validation("INVALID_FILTER_VALUES", f"{name} must be true or false", "Filters")


FLAG_FILTERS = {"account-default", "registered", "end-user-opted-out"}
"""Filters on flags whose names do not end in ``-enabled``."""


def _passes(value: str | bool | Iterable[str] | None, wanted: set[str]) -> bool:
    if value is None:
        return False
    if isinstance(value, bool):
        return str(value).lower() in {text.lower() for text in wanted}
    if isinstance(value, str):
        return value in wanted
    return not wanted.isdisjoint(value)
