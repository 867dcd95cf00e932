"""Hosted pages as the answers of an onboarding already say them. Pure."""

from typing import Final
from urllib.parse import urlsplit

import msgspec

from tenants.onboarding.answers import Programme
from tenants.onboarding.steps import Answers
from tenants.pages.settings import PageProgramme, PageSettings
from tenants.templates.use_cases import UseCase

_PURPOSES: Final[dict[UseCase, tuple[str, str]]] = {
    "otp": ("Codes", "one-time codes that you ask for"),
    "account_notification": ("Account", "your account"),
    "security_alert": ("Security", "the security of your account"),
    "fraud_alert": ("Fraud alerts", "suspicious activity on your account"),
    "delivery_notification": ("Deliveries", "your orders and their delivery"),
    "appointment_reminder": ("Appointments", "your appointments"),
    "customer_care": ("Customer care", "your questions to us"),
    "public_service_announcement": ("Announcements", "public service announcements"),
    "higher_education": ("Campus", "your studies and the campus"),
    "polling": ("Surveys", "surveys and polls"),
    "marketing": ("Offers", "offers and news"),
}
"""What people call a use case, and what stands behind "text messages about"."""


def pages_of(answers: Answers) -> PageSettings | None:
    """Return what the pages are written from; None where the answers do not give them in their form."""
    profile, uses = answers.profile, answers.use_cases
    if profile is None or uses is None:
        return None
    known = {each.use_case: _programme(each, profile.brand) for each in reversed(uses.programmes)}
    settings = PageSettings(
        brand=_line(profile.brand),
        legal_name=_line(profile.legal_name),
        website=profile.website,
        support_email=profile.support.email,
        support_phone=profile.support.phone,
        programmes=list(reversed(known.values())),
        allowed_origins=_origins(profile.website),
    )
    try:
        return msgspec.convert(msgspec.to_builtins(settings), PageSettings)
    except msgspec.ValidationError:
        return None


def _programme(programme: Programme, brand: str) -> PageProgramme:
    name, purpose = _PURPOSES[programme.use_case]
    return PageProgramme(
        use_case=programme.use_case, type=programme.type, name=_line(f"{brand} {name}"), purpose=purpose
    )


def _line(text: str) -> str:
    """Pages hold no line ends and no control characters."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _origins(website: str) -> list[str]:
    """The tenant's own site may show the form, if its address is one that browsers compare."""
    parts = urlsplit(website)
    host = (parts.hostname or "").lower()
    return [f"https://{host}"] if host.isascii() and host.replace("-", "").replace(".", "").isalnum() else []
