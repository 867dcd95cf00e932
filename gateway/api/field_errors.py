"""Says which field of a request msgspec complains of, as a refusal."""

from gateway.api.refusals import Refusal
from gateway.intake.outcome import FieldFault
from tenants.complaints import Tried, complaint_of, shortened, without_place


def refusal_of_body(said: str, tried: Tried | None = None) -> Refusal:
    """
    Return the 422 for msgspec's complaint about a JSON body.

    Args:
        tried: The body and its type, to name the members of maps.
    """
    found = complaint_of(said, tried)
    fault = FieldFault(field=found.field or "/", code=found.code, detail=found.detail)
    code = "unknown_field" if found.code == "unknown_field" else "validation_failed"
    return Refusal(code, found.detail, errors=(fault,))


def refusal_of_query(complaint: str, name: str) -> Refusal:
    """Return the 422 for a complaint about the query parameter `name`."""
    return Refusal.of_field(f"?{shortened(name)}", "invalid", f"{without_place(complaint)}.")


def unknown_query_parameter(name: str) -> Refusal:
    """Return the 422 for a query parameter that the route does not have."""
    field = f"?{shortened(name)}"
    detail = f"There is no query parameter {shortened(name)!r} here."
    return Refusal(
        "unknown_field", detail, errors=(FieldFault(field=field, code="unknown_field", detail=detail),)
    )
