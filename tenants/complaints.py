"""
What msgspec complains of, as the field that is meant: a JSON pointer. Pure.

msgspec writes `[...]` for "some member of this map". Which one is found by reading again with fewer members,
half of them at a time; so the place is named down to the leaf.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, cast

import msgspec
from msgspec import Struct

_PLACE: Final = re.compile(r" - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`$")
_UNKNOWN: Final = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
_MISSING: Final = re.compile(r"^Object missing required field `(?P<name>.*)`$", re.DOTALL)
_STEP: Final = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>[^\]]*)\]")
_LONGEST_NAME: Final = 100
_LONGEST_DETAIL: Final = 300
"""What comes from outside is not repeated at length."""

Read = Callable[[object], object]
"""Reads plain JSON values as the type that is wanted, or raises msgspec.ValidationError."""
_Step = str | int | None
"""A member, a place in a list, or None for a member that msgspec did not name."""


class Complaint(Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a value."""

    field: str
    """JSON pointer; empty for the value as a whole."""
    code: Literal["unknown_field", "required", "invalid"]
    detail: str
    way: tuple[str, ...] = ()
    """Members and places in lists that lead to an invalid value; `...` is a member that is not known."""
    of_key: bool = False
    """Whether a key is wrong: one of the map that `way` leads to."""


class Tried(Struct, frozen=True):
    """The value that was read, and how: what it takes to name the member of a map."""

    value: object
    read: Read


def complaint_of(said: str, tried: Tried | None = None) -> Complaint:
    """Return what msgspec's line means; without `tried` the pointer ends at a map."""
    place = _PLACE.search(said)
    what = without_place(said)
    of_key = place is not None and place["key"] is not None
    steps = [] if place is None else _steps(place["path"], of_key=of_key)
    named = _named(steps, said, tried)
    base = _pointer(named)
    if (unknown := _UNKNOWN.match(what)) is not None:
        name = shortened(unknown["name"])
        return Complaint(
            field=f"{base}/{escape(name)}",
            code="unknown_field",
            detail=f"There is no field {name!r} here.",
        )
    if (missing := _MISSING.match(what)) is not None:
        name = shortened(missing["name"])
        return Complaint(
            field=f"{base}/{escape(name)}", code="required", detail=f"The field {name!r} is required."
        )
    subject = "A key: " if of_key else ""
    return Complaint(
        field=base,
        code="invalid",
        detail=f"{subject}{shortened(what, _LONGEST_DETAIL)}.",
        way=tuple("..." if step is None else str(step) for step in (named[:-1] if of_key else named)),
        of_key=of_key,
    )


def without_place(said: str) -> str:
    """Return msgspec's line without where it is."""
    return _PLACE.sub("", said)


def pointer(path: str) -> str:
    """
    Return the JSON pointer of a msgspec path, for example `.messages[3].to` as `/messages/3/to`.

    It ends at a map whose member is not named.
    """
    return _pointer(_steps(path, of_key=False))


def escape(name: str) -> str:
    """Return a member name as one step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def shortened(text: str, longest: int = _LONGEST_NAME) -> str:
    """Return text from outside in printable ASCII, cut where it is long."""
    printable = text.encode("ascii", "backslashreplace").decode("ascii")
    return printable if len(printable) <= longest else f"{printable[:longest]}…"


def _steps(path: str, *, of_key: bool) -> list[_Step]:
    steps: list[_Step] = []
    for step in _STEP.finditer(path):
        if step["index"] == "...":
            steps.append(None)
        else:
            steps.append(step["name"] if step["index"] is None else int(step["index"]))
    return [*steps, None] if of_key else steps


def _pointer(steps: Sequence[_Step]) -> str:
    named = list(steps[: steps.index(None)] if None in steps else steps)
    return "".join(f"/{escape(shortened(str(step)))}" for step in named)


def _named(steps: list[_Step], said: str, tried: Tried | None) -> list[_Step]:
    """Return the steps with the members of maps named, as far as that can be found out."""
    if tried is None:
        return steps
    known, value = list(steps), tried.value
    while None in known:
        at = known.index(None)
        member = _culprit(value, cast("list[str | int]", known[:at]), said, tried.read)
        if member is None:
            return known
        known[at] = member
    return known


def _culprit(value: object, way: Sequence[str | int], said: str, read: Read) -> str | None:
    """Return the first member of the map at `way` that alone draws the same complaint."""
    found = _at(value, way)
    if not isinstance(found, dict):
        return None
    members = cast("dict[str, object]", found)
    names = list(members)
    while names:
        half = names[: (len(names) + 1) // 2]
        same = _says(_with(value, way, {name: members[name] for name in half}), read) == said
        if same and len(half) == 1:
            return half[0]
        names = half if same else names[len(half) :]
    return None


def _says(value: object, read: Read) -> str | None:
    try:
        read(value)
    except msgspec.ValidationError as error:
        return str(error)
    return None


def _at(value: object, way: Sequence[str | int]) -> object:
    for step in way:
        if isinstance(value, dict):
            value = cast("dict[object, object]", value).get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = cast("list[object]", value)[step]
        else:
            return None
    return value


def _with(value: object, way: Sequence[str | int], members: Mapping[str, object]) -> object:
    """Return the value with another map at `way`, which leads to one."""
    if not way:
        return members
    step, *rest = way
    if isinstance(value, list):
        items = list(cast("list[object]", value))
        items[cast("int", step)] = _with(items[cast("int", step)], rest, members)
        return items
    own = cast("dict[object, object]", value)
    return {**own, step: _with(own[step], rest, members)}
