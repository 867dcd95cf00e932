"""Filters of Describe and List actions: OR within the values of a filter, AND across filters."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from gateway.emulator.errors import validation
from gateway.emulator.model.checks import Check, Problem, ShapeChecks
from gateway.emulator.model.service import load_service_model

T = TypeVar("T")

Readers = Mapping[str, Callable[[T], str | bool | Iterable[str] | None]]
"""Filter name -> what it looks at: text, a flag, several texts, or None when absent."""

FLAGS = {"true", "false"}
KINDS = {
    "action": "ProtectConfigurationRuleOverrideAction",
    "attachment-status": "AttachmentStatus",
    "default-message-type": "MessageType",
    "iso-country-code": "IsoCountryCode",
    "keyword-action": "KeywordAction",
    "matching-event-types": "EventType",
    "message-type": "MessageType",
    "number-capability": "NumberCapability",
    "number-type": "NumberType",
    "registration-status": "RegistrationStatus",
    "registration-version-status": "RegistrationVersionStatus",
    "supported-association-iso-country-code": "IsoCountryCode",
}
"""Filter name -> the shape of the model that its values have; what is not named here is any text."""


def filtered(
    items: Iterable[T],
    filters: list[dict[str, Any]] | None,
    readers: Readers[T],
    *,
    any_of: bool = False,
    status: str = "",
) -> list[T]:
    """
    Return the items that pass the filters.

    Args:
        items: What to choose from.
        filters: ``{"Name", "Values"}`` pairs of the request.
        readers: How each filter reads an item.
        any_of: OR across filters instead of AND.
        status: The shape of the model that the values of a filter ``status`` have.
    """
    if not filters:
        return list(items)
    for entry in filters:
        if entry["Name"] not in readers:
            message = f"The filter {entry['Name']} is not supported"
            raise validation("INVALID_FILTER_VALUES", message, "Filters")
    check_values(filters, status=status)
    combine = any if any_of else all
    return [
        item
        for item in items
        if combine(_passes(readers[entry["Name"]](item), set(entry["Values"])) for entry in filters)
    ]


def check_values(filters: list[dict[str, Any]], *, status: str = "") -> None:
    """
    Refuse values that nothing can have.

    Raises:
        AwsError: INVALID_FILTER_VALUES.
    """
    for entry in filters:
        name: str = entry["Name"]
        if name.endswith("-enabled") or name in FLAG_FILTERS:
            if any(value.lower() not in FLAGS for value in entry["Values"]):
                raise validation("INVALID_FILTER_VALUES", f"{name} must be true or false", "Filters")
            continue
        kind = status if name == "status" else KINDS.get(name)
        if kind:
            _check_kind(name, entry["Values"], kind)


def _check_kind(name: str, values: list[str], kind: str) -> None:
    problems: list[Problem] = []
    for value in values:
        _check_of(kind)(value, name, problems)
    if problems:
        raise validation("INVALID_FILTER_VALUES", problems[0].message, "Filters")


@functools.cache
def _check_of(kind: str) -> Check:
    return ShapeChecks().of(load_service_model().shape_for(kind))


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
