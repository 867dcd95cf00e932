"""
All that a send is checked against, as one immutable value per tenant and policy version.

Read from Postgres once, kept by `gateway.intake.policies`, thrown away when the tenant's policy_version
moves; so the edge of a send touches no database.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct, field

from gateway.admission.policy import TenantPolicy, protect_block
from gateway.lanes.line_sums import Line
from gateway.routing.candidates import Candidate, Need
from gateway.routing.facts import TenantRouting
from tenants.accounts.plan import Plan, may_send_free_text
from tenants.accounts.sealing import DataKey
from tenants.budgets.budget import Budget
from tenants.protection.precedence import CHANNELS, NO_PROTECTION, Protection, blocked_countries
from tenants.templates.locales import pick
from tenants.templates.rendering import Template
from tenants.templates.variables import Declaration


class ApprovedTemplate(Struct, frozen=True, kw_only=True):
    """A sendable version of a template, parsed."""

    id: UUID
    name: str
    version: int
    type: str
    countries: frozenset[str]
    template: Template
    """The body; a language variant has another text and the same variables."""
    declarations: Mapping[str, Declaration]
    use_case: str = "account_notification"
    dlt_template_id: str | None = None
    """India's registration of the wording."""
    locale: str | None = None
    """Language of `template`."""
    variants: Mapping[str, Template] = {}
    """Other languages, by BCP 47 tag."""

    def in_language(self, wanted: str | None) -> Template:
        """Return the text for readers of `wanted`, a BCP 47 tag; the body where there is no better one."""
        if wanted is None or not self.variants or wanted == self.locale:
            return self.template
        chosen = pick(self.variants, wanted)
        return self.template if chosen is None else self.variants[chosen]


class TemplatePatterns(Protocol):
    """Finds the approved templates that give a text; `gateway.intake.matching` has the index."""

    def matches(self, text: str) -> Iterator[tuple[ApprovedTemplate, Mapping[str, str]]]:
        """Yield the templates that give exactly this text, the most telling first, with their values."""
        ...

    def nearest(self, text: str) -> ApprovedTemplate | None:
        """Return the template whose beginning is most like the text's."""
        ...


LineKind = tuple[UUID, bool, str, str, str]
"""Sender, whether for live keys, channel, type and country."""


class TenantSnapshot(Struct, frozen=True, kw_only=True):
    """One tenant as admission and pricing see it, at one policy version."""

    tenant_id: UUID
    version: int
    state: str
    live: bool
    model: int
    plan: Plan
    countries: frozenset[str]
    unit: str
    key: DataKey
    templates: Mapping[UUID, tuple[ApprovedTemplate, ...]]
    """Approved versions of each template, newest first."""
    template_names: Mapping[str, UUID]
    routing: TenantRouting
    budgets: tuple[Budget, ...] = ()
    """The tenant's own caps per month."""
    patterns: TemplatePatterns | None = None
    """Where a `body` has to be an approved template's text; None where it is free or refused."""
    protection: Protection = NO_PROTECTION
    """The protect configurations that may hold for its sends."""
    verified: Mapping[tuple[bool, bytes], UUID | None] = {}
    """Verified numbers, by whether they count for live keys and recipient hash: the AWS account, if any."""
    suspicions: Mapping[str, int] = {}
    """How many things are unusual about a country's traffic; none where it is not named."""
    read_at: datetime
    ranked: dict[Need, tuple[Candidate, ...]] = field(default_factory=dict)
    """The candidates of each kind of message, ordered when first asked for."""
    lines: dict[LineKind, Line] = field(default_factory=dict)
    """The line of each sender and kind of message, made when first asked for."""


def policy_of(snapshot: TenantSnapshot) -> TenantPolicy:
    """Return the part of a snapshot that the admission script needs."""
    refuses = snapshot.plan.burst == "refuse"
    return TenantPolicy(
        tenant_id=snapshot.tenant_id,
        version=snapshot.version,
        state=snapshot.state,  # type: ignore[arg-type]  # the table's CHECK holds it to the Literal
        live=snapshot.live,
        free_text=may_send_free_text(snapshot.model, snapshot.plan),
        countries=snapshot.countries,
        templates={
            template_id: frozenset(version.version for version in versions)
            for template_id, versions in snapshot.templates.items()
        },
        requests_per_second=snapshot.plan.requests_per_second,
        country_refuse_mps={
            country: rate
            for country in snapshot.countries
            if refuses and (rate := snapshot.plan.mps(country)) is not None
        },
        country_daily_caps={
            country: rollout.daily_cap
            for country, rollout in snapshot.plan.rollout.items()
            if rollout.phase == "live" and rollout.daily_cap is not None
        },
        protect_blocks=_protect_blocks(snapshot.protection),
    )


def _protect_blocks(protection: Protection) -> frozenset[str]:
    known = [*protection.configurations.values()]
    if protection.account_default is not None:
        known.append(protection.account_default)
    return frozenset(
        protect_block(configuration.id, channel, country)
        for configuration in known
        for channel in CHANNELS
        for country in blocked_countries(configuration, channel)
    )
