"""
Checks compiled from the shapes of the service model.

Each shape becomes one closure ``check(value, path, problems)``, built once; a request then costs one call
per member that it carries. The checks hold input to the model's required members, types, lengths, ranges,
patterns and enums, of which an SDK on the client side checks only some.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, TypeGuard, cast

import msgspec
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape


class Problem(msgspec.Struct, frozen=True):
    """One member that breaks its constraint."""

    field: str
    message: str
    reason: str = "INVALID_PARAMETER"
    wrong_type: bool = False


Check = Callable[[Any, str, list[Problem]], None]


class ShapeChecks:
    """The compiled checks of one service model."""

    def __init__(self) -> None:
        self._compiled: dict[str, Check] = {}

    def of(self, shape: Shape) -> Check:
        """Return the check of a shape, compiling it on first use."""
        check = self._compiled.get(shape.name)
        if check is None:
            check = self._compiled[shape.name] = self._compile(shape)
        return check

    def _compile(self, shape: Shape) -> Check:
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        if isinstance(shape, ListShape):
            return self._list(shape)
        if isinstance(shape, MapShape):
            return self._map(shape)
        if isinstance(shape, StringShape):
            return _string(shape)
        return _scalar(shape)

    def _structure(self, shape: StructureShape) -> Check:
        members = {name: self.of(member) for name, member in shape.members.items()}
        required = tuple(shape.required_members)

        def check(value: Any, path: str, problems: list[Problem]) -> None:
            if not isinstance(value, dict):
                problems.append(_wrong_type(path or "$", "an object"))
                return
            given = cast("dict[str, Any]", value)
            prefix = f"{path}." if path else ""
            for name, item in given.items():
                member = members.get(name)
                if member is None:
                    problems.append(
                        Problem(prefix + name, "Unknown parameter", "UNSPECIFIED_PARAMETER_NOT_SUPPORTED")
                    )
                elif item is not None:
                    member(item, prefix + name, problems)
            problems.extend(
                Problem(prefix + name, f"Value at '{name}' must not be null", "MISSING_PARAMETER")
                for name in required
                if given.get(name) is None
            )

        return check

    def _list(self, shape: ListShape) -> Check:
        member = self.of(shape.member)
        bounds = _bounds(shape)

        def check(value: Any, path: str, problems: list[Problem]) -> None:
            if not _is_list(value):
                problems.append(_wrong_type(path, "a list"))
                return
            _check_bounds(len(value), bounds, path, "size", problems)
            for index, item in enumerate(value):
                if item is None:
                    problems.append(_wrong_type(f"{path}[{index}]", "not null"))
                else:
                    member(item, f"{path}[{index}]", problems)

        return check

    def _map(self, shape: MapShape) -> Check:
        key_check, value_check = self.of(shape.key), self.of(shape.value)
        bounds = _bounds(shape)

        def check(value: Any, path: str, problems: list[Problem]) -> None:
            if not isinstance(value, dict):
                problems.append(_wrong_type(path, "a map"))
                return
            given = cast("dict[str, Any]", value)
            _check_bounds(len(given), bounds, path, "size", problems)
            for key, item in given.items():
                key_check(key, f"{path}.key", problems)
                if item is None:
                    problems.append(_wrong_type(f"{path}.{key}", "not null"))
                else:
                    value_check(item, f"{path}.{key}", problems)

        return check


def _string(shape: StringShape) -> Check:
    if shape.enum:
        return _enumeration(frozenset(shape.enum))
    low, high = _bounds(shape)
    pattern_text: str | None = shape.metadata.get("pattern")
    pattern = re.compile(pattern_text) if pattern_text else None

    def check(value: Any, path: str, problems: list[Problem]) -> None:
        if type(value) is not str:
            problems.append(_wrong_type(path, "a string"))
        elif not low <= len(value) <= high:
            _check_bounds(len(value), (low, high), path, "length", problems)
        elif pattern is not None and pattern.fullmatch(value) is None:
            problems.append(
                Problem(path, f"Value at '{path}' must satisfy regular expression pattern: {pattern_text}")
            )

    return check


def _enumeration(allowed: frozenset[str]) -> Check:
    listing = ", ".join(sorted(allowed))

    def check(value: Any, path: str, problems: list[Problem]) -> None:
        if type(value) is not str:
            problems.append(_wrong_type(path, "a string"))
        elif value not in allowed:
            problems.append(Problem(path, f"Value at '{path}' must satisfy enum value set: [{listing}]"))

    return check


def _scalar(shape: Shape) -> Check:
    kind = shape.type_name
    if kind == "boolean":
        return _boolean
    if kind in {"integer", "long"}:
        return _integer(_bounds(shape))
    if kind == "timestamp":
        return _timestamp
    if kind == "blob":
        return _blob(_bounds(shape))
    raise TypeError(f"the model has a shape of an unexpected kind: {shape.name} is {kind}")


def _boolean(value: Any, path: str, problems: list[Problem]) -> None:
    if type(value) is not bool:
        problems.append(_wrong_type(path, "a boolean"))


def _integer(bounds: tuple[float, float]) -> Check:
    def check(value: Any, path: str, problems: list[Problem]) -> None:
        if type(value) is not int:
            problems.append(_wrong_type(path, "an integer"))
        else:
            _check_bounds(value, bounds, path, "value", problems)

    return check


LATEST_TIMESTAMP_S = 253_402_300_799
"""The last second of the year 9999; later ones cannot be a date."""


def _timestamp(value: Any, path: str, problems: list[Problem]) -> None:
    if type(value) not in {int, float}:
        problems.append(_wrong_type(path, "a timestamp in epoch seconds"))
    elif not 0 <= value <= LATEST_TIMESTAMP_S:
        problems.append(Problem(path, f"Value at '{path}' is not a date"))


def _blob(bounds: tuple[float, float]) -> Check:
    def check(value: Any, path: str, problems: list[Problem]) -> None:
        if type(value) is not str:
            problems.append(_wrong_type(path, "a base64 string"))
            return
        try:
            size = len(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            problems.append(_wrong_type(path, "a base64 string"))
        else:
            _check_bounds(size, bounds, path, "length", problems)

    return check


def _bounds(shape: Shape) -> tuple[float, float]:
    low: float = shape.metadata.get("min", float("-inf"))
    high: float = shape.metadata.get("max", float("inf"))
    return low, high


def _check_bounds(
    size: float, bounds: tuple[float, float], path: str, noun: str, problems: list[Problem]
) -> None:
    low, high = bounds
    if size < low:
        problems.append(Problem(path, f"Value at '{path}' must have {noun} greater than or equal to {low:g}"))
    elif size > high:
        problems.append(Problem(path, f"Value at '{path}' must have {noun} less than or equal to {high:.0f}"))


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _wrong_type(path: str, expected: str) -> Problem:
    return Problem(path, f"Value at '{path}' must be {expected}", wrong_type=True)
