"""
The compliance linter: what an approver would object to, found by rule. Pure.

`error` cannot be submitted, `review` needs the operator's eye, `notice` is for the author. A version without
errors and reviews is approved at once where the plan says so.
"""

from collections.abc import Iterable, Iterator

from msgspec import UNSET, Struct

from tenants.templates import country_rules
from tenants.templates.authoring import Wording, parsed
from tenants.templates.compliance_rules import RULES
from tenants.templates.findings import Finding, FixedText, Severity


class Audience(Struct, frozen=True, kw_only=True):
    """Whose template it is and where it goes."""

    brands: tuple[str, ...]
    """Names by which the recipients know the sender; one of them has to be in the text."""
    countries: frozenset[str]
    """Where the tenant may send; the wording's own countries narrow it."""


def lint(wording: Wording, audience: Audience) -> tuple[Finding, ...]:
    """
    Return what there is to say about a wording, the worst first.

    Args:
        wording: As `authoring.check_wording` returned it.
    """
    countries = frozenset(wording.countries) or audience.countries
    found = list(_of_the_whole(wording, countries))
    for locale, template in parsed(wording):
        literal = FixedText(wording, audience.brands, countries, template, locale)
        for rule in RULES:
            found.extend(rule(literal))
    ranks: dict[Severity, int] = {"error": 0, "review": 1, "notice": 2}
    return tuple(sorted(found, key=lambda each: ranks[each.severity]))


def needs_a_person(findings: Iterable[Finding]) -> bool:
    """Whether the linter may not approve this by itself."""
    return any(each.severity != "notice" for each in findings)


def _of_the_whole(wording: Wording, countries: frozenset[str]) -> Iterator[Finding]:
    forbidding = sorted(countries & country_rules.TRANSACTIONAL_ONLY)
    if wording.type == "promotional" and forbidding:
        yield Finding(
            code="promotion_forbidden",
            severity="error",
            detail=f"promotional messages may not go to {', '.join(forbidding)}",
            fix="leave the country out of `countries`",
        )
    registering = sorted(countries & country_rules.TEMPLATE_IDS)
    if registering and wording.dlt_template_id is None:
        yield Finding(
            code="template_id_needed",
            severity="notice",
            detail=f"{', '.join(registering)} wants the wording registered and its id in each send",
            fix="register the text on a DLT portal and give its id as `dlt_template_id`",
        )
    for name, declaration in wording.variables.items():
        if declaration.kind == "url" and declaration.hosts is UNSET:
            yield Finding(
                code="link_to_anywhere",
                severity="review",
                detail=f"the variable {name} may link to any host",
                fix=f'declare its hosts, as in {{"{name}": {{"kind": "url", "hosts": ["acme.com"]}}}}',
            )
