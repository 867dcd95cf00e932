"""Says which field of a request msgspec complains of, as a refusal."""

from collections.abc import Sequence
from typing import Any, Final

from gateway.api.choices import choices_at
from gateway.api.refusals import Refusal
from gateway.intake.outcome import FieldFault
from tenants.complaints import Complaint, Tried, complaint_of, escape, shortened, without_place

_ENUM: Final = "Invalid enum value"
_MOST_CHOICES: Final = 50


def refusal_of_body(said: str, tried: Tried | None = None, kind: Any = Any) -> Refusal:
    """
    Return the 422 for msgspec's complaint about a JSON body.

    Args:
        tried: The body and its reader, to name the members of maps.
        kind: The type that it was to be of, to name what a field may be.
    """
    found = complaint_of(said, tried)
    detail = f"{found.detail.removesuffix('.')}{_instead(_choices(found, kind))}."
    fault = FieldFault(field=found.field or "/", code=found.code, detail=detail)
    code = "unknown_field" if found.code == "unknown_field" else "validation_failed"
    return Refusal(code, detail, errors=(fault,))


def refusal_of_query(complaint: str, name: str, choices: Sequence[str] = ()) -> Refusal:
    """Return the 422 for a complaint about the query parameter `name`, and what it may be."""
    what = without_place(complaint)
    instead = _instead(choices) if what.startswith(_ENUM) else ""
    return Refusal.of_field(f"?{shortened(name)}", "invalid", f"{what}{instead}.")


def nul_refusal(path: Sequence[str]) -> Refusal:
    """Return the 422 for a text in a JSON body that holds U+0000."""
    field = "".join(f"/{escape(shortened(step))}" for step in path) or "/"
    return Refusal.of_field(field, "invalid", "The character U+0000 cannot be stored; remove it.")


def unknown_query_parameter(name: str) -> Refusal:
    """Return the 422 for a query parameter that the route does not have."""
    field = f"?{shortened(name)}"
    detail = f"There is no query parameter {shortened(name)!r} here."
    return Refusal(
        "unknown_field", detail, errors=(FieldFault(field=field, code="unknown_field", detail=detail),)
    )


def _choices(found: Complaint, kind: Any) -> Sequence[str]:
    return choices_at(kind, found.way, of_key=found.of_key) if _ENUM in found.detail else ()


def _instead(choices: Sequence[str]) -> str:
    return f"; it is one of {', '.join(choices[:_MOST_CHOICES])}" if choices else ""
