"""What number a registration asks for: from its type, what its owner said, and what its form says. Pure."""

from typing import Final

from gateway.carrier.registrations import NumberTerms
from tenants.registrations.checking import Values
from tenants.registrations.forms import Form
from tenants.registrations.models import Registration

_CAPABILITIES: Final = {"SMS": ("SMS",), "SMS+VOICE": ("SMS", "VOICE")}
"""A 10DLC campaign's choices; MMS comes with every number of the United States by itself."""


def number_terms(form: Form, row: Registration, values: Values) -> NumberTerms:
    """
    Return what number to request.

    A campaign says message type and capabilities in its form, and AWS wants a number of just these.
    """
    country = next(
        (each.country for each in form.type.associations if each.resource_type == "PHONE_NUMBER"), None
    )
    said = {path.rpartition(".")[2]: _one(value) for path, value in values.items()}
    return NumberTerms(
        number_type=form.type.number_type or "LONG_CODE",
        country=country or row.number_terms.get("country", "US"),
        message_type=said.get("messageType") or row.number_terms.get("message_type", "TRANSACTIONAL"),
        capabilities=_CAPABILITIES.get(said.get("numberCapability", "SMS"), ("SMS",)),
        international=row.number_terms.get("international", False),
    )


def _one(value: str | list[str]) -> str:
    if isinstance(value, str):
        return value
    return value[0] if value else ""
