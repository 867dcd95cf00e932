"""Reads msgspec's one-line complaints and says which field they mean, as a JSON pointer."""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any, Final

from gateway.api.choices import choices_at
from gateway.api.refusals import Refusal
from gateway.intake.outcome import FieldFault

_PLACE: Final = re.compile(r" - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`$")
_UNKNOWN: Final = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
_MISSING: Final = re.compile(r"^Object missing required field `(?P<name>.*)`$", re.DOTALL)
_STEP: Final = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>[^\]]*)\]")
_SOME_MEMBER: Final = "..."
_ENUM: Final = "Invalid enum value"
_MOST_CHOICES: Final = 50
_LONGEST_NAME: Final = 100
"""A field's name comes from outside; no more of it is repeated."""


def refusal_of_body(complaint: str, kind: Any = Any) -> Refusal:
    """Return the 422 for msgspec's complaint about a JSON body that was to be of a type."""
    place = _PLACE.search(complaint)
    what = complaint if place is None else complaint[: place.start()]
    steps = [] if place is None else _steps(place["path"])
    base = _pointer(steps)
    if (unknown := _UNKNOWN.match(what)) is not None:
        name = _short(unknown["name"])
        return _fault(
            "unknown_field", f"{base}/{escape(name)}", "unknown_field", f"There is no field {name!r} here."
        )
    if (missing := _MISSING.match(what)) is not None:
        name = _short(missing["name"])
        return _fault(
            "validation_failed", f"{base}/{escape(name)}", "required", f"The field {name!r} is required."
        )
    of_key = place is not None and place["key"] is not None
    subject = "A key: " if of_key else ""
    choices = choices_at(kind, steps, of_key=of_key) if what.startswith(_ENUM) else ()
    return _fault(
        "validation_failed", base or "/", "invalid", f"{subject}{_short(what, 300)}{_instead(choices)}."
    )


def refusal_of_query(complaint: str, name: str, choices: Sequence[str] = ()) -> Refusal:
    """Return the 422 for a complaint about the query parameter `name`, and what it may be."""
    what = _PLACE.sub("", complaint)
    instead = _instead(choices) if what.startswith(_ENUM) else ""
    return Refusal.of_field(f"?{_short(name)}", "invalid", f"{what}{instead}.")


def nul_refusal(path: Sequence[str]) -> Refusal:
    """Return the 422 for a text in a JSON body that holds U+0000."""
    return _fault(
        "validation_failed",
        _pointer(path) or "/",
        "invalid",
        "The character U+0000 cannot be stored; remove it.",
    )


def unknown_query_parameter(name: str) -> Refusal:
    """Return the 422 for a query parameter that the route does not have."""
    field = f"?{_short(name)}"
    detail = f"There is no query parameter {_short(name)!r} here."
    return Refusal(
        "unknown_field", detail, errors=(FieldFault(field=field, code="unknown_field", detail=detail),)
    )


def _instead(choices: Sequence[str]) -> str:
    return f"; it is one of {', '.join(choices[:_MOST_CHOICES])}" if choices else ""


def _fault(code: str, field: str, field_code: str, detail: str) -> Refusal:
    return Refusal(code, detail, errors=(FieldFault(field=field, code=field_code, detail=detail),))


def pointer(path: str) -> str:
    """Return the JSON pointer of a msgspec path, for example `.messages[3].to` as `/messages/3/to`."""
    return _pointer(_steps(path))


def _pointer(steps: Sequence[str]) -> str:
    """Where msgspec does not say which member of a mapping it means, the pointer ends."""
    named = list(takewhile(lambda step: step != _SOME_MEMBER, steps))
    return "".join(f"/{escape(step)}" for step in named)


def _steps(path: str) -> list[str]:
    """Return names and indices of a msgspec path; `...` stands for some member of a mapping."""
    return [step["index"] if step["name"] is None else step["name"] for step in _STEP.finditer(path)]


def escape(name: str) -> str:
    """Return a member name as one step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _short(text: str, longest: int = _LONGEST_NAME) -> str:
    printable = text.encode("ascii", "backslashreplace").decode("ascii")
    return printable if len(printable) <= longest else f"{printable[:longest]}…"
