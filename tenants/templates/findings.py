"""What the compliance linter says, and of which text."""

from typing import Literal

from msgspec import Struct

from tenants.templates.authoring import Wording
from tenants.templates.rendering import Template

Severity = Literal["error", "review", "notice"]
FindingCode = Literal[
    "brand_missing",
    "opt_out_missing",
    "otp_without_code",
    "code_unbounded",
    "code_not_digits",
    "link_in_otp",
    "shortener",
    "link_to_anywhere",
    "link_runs_on",
    "promotional_words",
    "promotion_forbidden",
    "template_id_needed",
    "prohibited_content",
    "restricted_content",
    "says_anything",
    "compatibility_characters",
    "not_gsm",
    "several_parts",
    "too_long",
]


class Finding(Struct, frozen=True, kw_only=True):
    """One thing about a wording, and what to do about it."""

    code: FindingCode
    severity: Severity
    detail: str
    fix: str
    locale: str | None = None
    """The variant it is about; None for the body, or for the template as a whole."""


class FixedText:
    """The fixed text of one variant, and what the rules hold it against."""

    def __init__(
        self,
        wording: Wording,
        brands: tuple[str, ...],
        countries: frozenset[str],
        template: Template,
        locale: str | None,
    ) -> None:
        self.wording = wording
        self.brands = brands
        self.countries = countries
        self.template = template
        self.locale = locale
        self.text = "".join(template.literals)
        self.spaced = " ".join(template.literals)
        """With a blank for each value, so that no word arises that is not there."""

    def found(self, code: FindingCode, severity: Severity, detail: str, fix: str) -> Finding:
        """Return a finding about this text."""
        return Finding(code=code, severity=severity, detail=detail, fix=fix, locale=self.locale)
