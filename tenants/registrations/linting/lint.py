"""The linter of registrations: every rule over one draft. Pure."""

from collections.abc import Callable, Iterator
from typing import Final

from tenants.registrations.linting import company, disclosures, texts
from tenants.registrations.linting.draft import Draft, Finding

RULES: Final[tuple[Callable[[Draft], Iterator[Finding]], ...]] = (
    company.contact,
    company.sender_id,
    company.brand,
    company.campaign,
    disclosures.opt_in,
    disclosures.opt_in_image,
    texts.samples,
    texts.category,
    texts.flags,
    texts.replies,
    disclosures.terms,
    disclosures.privacy,
)


def lint(draft: Draft) -> list[Finding]:
    """Return what reviewers would object to, the errors first."""
    found = [finding for rule in RULES for finding in rule(draft)]
    return sorted(found, key=lambda each: each.severity != "error")


def errors_of(draft: Draft) -> list[Finding]:
    """Return only what is refused as a rule."""
    return [each for each in lint(draft) if each.severity == "error"]
