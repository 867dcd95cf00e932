"""Reads msgspec's one-line complaints and says which field they mean, as a JSON pointer."""

import re
from typing import Final

from gateway.api.refusals import Refusal
from gateway.intake.outcome import FieldFault

_PLACE: Final = re.compile(r" - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`$")
_UNKNOWN: Final = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
_MISSING: Final = re.compile(r"^Object missing required field `(?P<name>.*)`$", re.DOTALL)
_STEP: Final = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<index>[^\]]*)\]")
_LONGEST_NAME: Final = 100
"""A field's name comes from outside; no more of it is repeated."""


def refusal_of_body(complaint: str) -> Refusal:
    """Return the 422 for msgspec's complaint about a JSON body."""
    return _refusal(complaint, prefix="")


def refusal_of_query(complaint: str, name: str) -> Refusal:
    """Return the 422 for a complaint about the query parameter `name`."""
    what = _PLACE.sub("", complaint)
    return Refusal.of_field(f"?{_short(name)}", "invalid", f"{what}.")


def unknown_query_parameter(name: str) -> Refusal:
    """Return the 422 for a query parameter that the route does not have."""
    field = f"?{_short(name)}"
    detail = f"There is no query parameter {_short(name)!r} here."
    return Refusal(
        "unknown_field", detail, errors=(FieldFault(field=field, code="unknown_field", detail=detail),)
    )


def _refusal(complaint: str, *, prefix: str) -> Refusal:
    place = _PLACE.search(complaint)
    what = complaint if place is None else complaint[: place.start()]
    base = prefix + ("" if place is None else pointer(place["path"]))
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
    return _fault("validation_failed", base or "/", "invalid", f"{subject}{_short(what, 300)}.")


def _fault(code: str, field: str, field_code: str, detail: str) -> Refusal:
    return Refusal(code, detail, errors=(FieldFault(field=field, code=field_code, detail=detail),))


def pointer(path: str) -> str:
    """
    Return the JSON pointer of a msgspec path, for example `.messages[3].to` as `/messages/3/to`.

    msgspec writes `[...]` where it does not say which member of a mapping it means; the pointer ends there.
    """
    steps: list[str] = []
    for step in _STEP.finditer(path):
        if step["index"] == "...":
            break
        steps.append(escape(step["name"] if step["index"] is None else step["index"]))
    return "".join(f"/{step}" for step in steps)


def escape(name: str) -> str:
    """Return a member name as one step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _short(text: str, longest: int = _LONGEST_NAME) -> str:
    printable = text.encode("ascii", "backslashreplace").decode("ascii")
    return printable if len(printable) <= longest else f"{printable[:longest]}…"
