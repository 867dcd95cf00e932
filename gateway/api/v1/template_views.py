"""Templates, their versions and their worst case, as the wire shows them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages.view import price_view, timestamp
from tenants.accounts import service as accounts
from tenants.accounts.models import Tenant
from tenants.accounts.plan import Plan
from tenants.credits import store as credit_store
from tenants.credits.pricing import PriceBook, Quote, price
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.templates.authoring import Wording, parsed
from tenants.templates.models import TemplateVersion
from tenants.templates.rendering import worst_case
from tenants.templates.store import wording_of
from tenants.templates.versions import TemplateView as VersionedTemplate


class CountryPrice(Struct, frozen=True, kw_only=True):
    """What the longest text costs in one country, in the unit the tenant pays in; nothing where unpriced."""

    country: str
    estimated: str | None
    """Decimal dollars."""
    currency: str
    credits: int | None


class WorstCaseView(Struct, frozen=True, kw_only=True):
    """The most that allowed values can make of a template, in whichever of its languages."""

    encoding: str
    """`GSM` or `UNICODE`."""
    parts: int
    characters: int
    price: list[CountryPrice]
    """Over SMS, for each country to which it may go."""


class TemplateVersionView(Struct, frozen=True, kw_only=True):
    """One wording and what was decided on it."""

    version: int
    state: str
    """`draft`, `submitted`, `approved`, `rejected` or `retired`."""
    body: str
    type: str
    use_case: str
    locale: str | None
    dlt_template_id: str | None
    """The wording's id in India's DLT registry."""
    variants: list[Any]
    """The same text in other languages: `{"locale", "body"}`."""
    variables: dict[str, Any]
    countries: list[str]
    """Where it may go; empty for every country of the tenant."""
    findings: list[Any]
    """What the linter says: `{"code", "severity", "detail", "fix", "locale"}`, the worst first."""
    worst_case: WorstCaseView
    rejection_reason: str | None
    decided_by: str | None
    """`operator`, `linter` or, for what the tenant retired or restored, `tenant`."""
    created_at: str | None
    submitted_at: str | None
    decided_at: str | None


class TemplateView(Struct, frozen=True, kw_only=True):
    """A template: its latest version, and the one that is sent."""

    id: str
    name: str
    state: str
    """State of the latest version."""
    version: int
    """Number of the latest version."""
    approved_version: int | None
    """What a send gets that names no version."""
    approved_versions: list[int]
    """What a send may name."""
    body: str
    type: str
    use_case: str
    locale: str | None
    dlt_template_id: str | None
    """The wording's id in India's DLT registry."""
    variants: list[Any]
    variables: dict[str, Any]
    countries: list[str]
    findings: list[Any]
    """What the linter says of the latest version: `{"code", "severity", "detail", "fix", "locale"}`."""
    worst_case: WorstCaseView
    rejection_reason: str | None
    created_at: str | None


class Tariff(Struct, frozen=True):
    """What a tenant's worst cases are priced by."""

    plan: Plan
    countries: tuple[str, ...]
    book: PriceBook
    model: int


async def tariff(scope: TenantScope, session: AsyncSession, now: datetime) -> Tariff:
    """Read what the tenant's templates are priced by."""
    return tariff_of(await accounts.get(scope, session), await credit_store.price_books(session, now))


def tariff_of(tenant: Tenant, books: Mapping[str, PriceBook]) -> Tariff:
    """Return what a tenant's templates are priced by."""
    plan = accounts.plan_of(tenant)
    book = books.get(plan.price_book, PriceBook({}))
    return Tariff(plan, tuple(sorted(tenant.countries)), book, tenant.model)


def template_view(found: VersionedTemplate, by: Tariff) -> TemplateView:
    """Return a template as the wire shows it."""
    latest, in_force = found.latest, found.in_force
    wording = wording_of(latest)
    return TemplateView(
        id=encode("tpl", found.template.id),
        name=found.template.name,
        state=latest.state,
        version=latest.version,
        approved_version=None if in_force is None else in_force.version,
        approved_versions=[row.version for row in found.versions if row.state == "approved"],
        body=latest.body,
        type=latest.type,
        use_case=str(wording.use_case),
        locale=latest.locale,
        dlt_template_id=latest.dlt_template_id,
        variants=latest.variants,
        variables=latest.variables,
        countries=latest.countries,
        findings=latest.findings,
        worst_case=worst_case_view(wording, by),
        rejection_reason=latest.rejection_reason,
        created_at=timestamp(found.template.created_at),
    )


def version_view(row: TemplateVersion, by: Tariff) -> TemplateVersionView:
    """Return one version as the wire shows it."""
    wording = wording_of(row)
    return TemplateVersionView(
        version=row.version,
        state=row.state,
        body=row.body,
        type=row.type,
        use_case=str(wording.use_case),
        locale=row.locale,
        dlt_template_id=row.dlt_template_id,
        variants=row.variants,
        variables=row.variables,
        countries=row.countries,
        findings=row.findings,
        worst_case=worst_case_view(wording, by),
        rejection_reason=row.rejection_reason,
        decided_by=row.decided_by,
        created_at=timestamp(row.created_at),
        submitted_at=timestamp(row.submitted_at),
        decided_at=timestamp(row.decided_at),
    )


def worst_case_view(wording: Wording, by: Tariff) -> WorstCaseView:
    """Return the worst case over all languages of a wording, with its price wherever it may go."""
    cases = [worst_case(template, wording.variables) for _, template in parsed(wording)]
    worst = max(cases, key=lambda case: (case.parts, case.encoding == "UNICODE", case.characters))
    return WorstCaseView(
        encoding=worst.encoding,
        parts=worst.parts,
        characters=worst.characters,
        price=[_priced(country, worst.parts, by) for country in sorted(wording.countries) or by.countries],
    )


def _priced(country: str, parts: int, by: Tariff) -> CountryPrice:
    quote = price(by.plan, by.book, country=country, channel="sms", parts=parts, model=by.model)
    if not isinstance(quote, Quote):
        return CountryPrice(country=country, estimated=None, currency="USD", credits=None)
    shown = price_view(unit=quote.unit, estimated=quote.amount, final=None)
    return CountryPrice(
        country=country, estimated=shown.estimated, currency=shown.currency, credits=shown.credits
    )
