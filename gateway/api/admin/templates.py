"""`/v1/admin/templates`: what waits for approval, and the decision."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin import pending_templates
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.lists.paging import DEFAULT_LIMIT, After, Limit, Page, invalid_cursor, page_of, text_after
from gateway.api.path_ids import path_id
from gateway.api.template_events import decision_event
from gateway.api.v1.template_views import (
    Tariff,
    TemplateView,
    WorstCaseView,
    tariff,
    tariff_of,
    template_view,
    worst_case_view,
)
from gateway.messages.view import timestamp
from gateway.webhooks.announcements import announce
from tenants.credits import store as credit_store
from tenants.errors import NotFound
from tenants.ids import encode
from tenants.scope import TenantScope
from tenants.templates import decisions
from tenants.templates.authoring import VersionState
from tenants.templates.models import Template, TemplateVersion
from tenants.templates.store import wording_of
from tenants.templates.versions import TemplateView as VersionedTemplate

_Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]
_DECISION: Final = refusals(
    *OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "template_state", "newer_version_approved"
)
Decide = Callable[[TenantScope, AsyncSession, UUID], Awaitable[VersionedTemplate]]


class Approval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which version to allow."""

    version: _Version | None = None
    """The one that was read. Without it the only one that waits; of several, none is approved unseen."""
    keep_older: bool = True
    """Leave older approved versions sendable by number until they are retired; `false` retires them now."""


class Rejection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which version to refuse, and why."""

    reason: Annotated[str, Meta(min_length=1, max_length=1000)]
    version: _Version | None = None
    """The one that was read; without it the only one that waits."""


class Retirement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which version to take out of use, or to bring back."""

    version: _Version


class PendingView(Struct, frozen=True, kw_only=True):
    """One version of a tenant's template, as the operator reviews it."""

    template_id: str
    tenant_id: str
    name: str
    version: int
    state: str
    body: str
    type: str
    use_case: str
    locale: str | None
    variants: list[Any]
    variables: dict[str, Any]
    countries: list[str]
    findings: list[Any]
    """What the linter says: `{"code", "severity", "detail", "fix", "locale"}`, the worst first."""
    worst_case: WorstCaseView
    submitted_at: str | None


@get(
    "/templates",
    responses=refusals(*OPERATOR),
    summary="List template versions of all tenants in one state",
    description="Those that wait for a decision, unless another state is named.",
)
async def list_pending_templates(
    request: ApiRequest,
    desk: NamedDependency[Desk],
    limit: Limit = DEFAULT_LIMIT,
    after: After = None,
    wanted_state: Annotated[VersionState, QueryParameter(name="state")] = "submitted",
) -> Page[PendingView]:
    """Return a page of versions, the oldest template first."""
    async with desk.operator() as session:
        rows = await pending_templates.page(
            session, wanted_state, limit=limit + 1, after=_place(text_after(request, after))
        )
        books = await credit_store.price_books(session, desk.services.clock.now())
    return page_of(
        request,
        rows,
        limit,
        view=lambda row: _pending(row[0], row[1], tariff_of(row[2], books)),
        place=lambda row: f"{row[1].template_id.hex}.{row[1].version}",
    )


@post(
    "/templates/{template_id:str}/approve",
    status_code=200,
    responses=_DECISION,
    summary="Approve a submitted template version",
    description="In force everywhere within 1 s. Name the `version` that was read: a version never changes, "
    "but the tenant may hand in another one meanwhile. The body may be left out where only one waits.",
)
async def approve_template(
    request: ApiRequest,
    template_id: FromPath[str],
    desk: NamedDependency[Desk],
    data: JSONBody[Approval | None] = None,
) -> Response[TemplateView]:
    """Allow a version to be sent."""
    chosen, now = data or Approval(), desk.services.clock.now()

    async def decide(scope: TenantScope, session: AsyncSession, wanted: UUID) -> VersionedTemplate:
        found = await decisions.approve(
            scope,
            session,
            wanted,
            now=now,
            version=chosen.version,
            keep_older=chosen.keep_older,
        )
        approved = next(row for row in found.versions if (row.state, row.decided_at) == ("approved", now))
        await announce(scope, session, "template.approved", decision_event(found, approved))
        return found

    return await _decide(request, desk, template_id, decide)


@post(
    "/templates/{template_id:str}/reject",
    status_code=200,
    responses=_DECISION,
    summary="Reject a submitted template version",
)
async def reject_template(
    request: ApiRequest, template_id: FromPath[str], data: JSONBody[Rejection], desk: NamedDependency[Desk]
) -> Response[TemplateView]:
    """Refuse a version and say why."""

    async def decide(scope: TenantScope, session: AsyncSession, wanted: UUID) -> VersionedTemplate:
        now = desk.services.clock.now()
        found = await decisions.reject(
            scope, session, wanted, reason=data.reason, now=now, version=data.version
        )
        rejected = next(row for row in found.versions if (row.state, row.decided_at) == ("rejected", now))
        await announce(scope, session, "template.rejected", decision_event(found, rejected))
        return found

    return await _decide(request, desk, template_id, decide)


@post(
    "/templates/{template_id:str}/retire",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "template_state"),
    summary="Take an approved template version out of use",
    description="Sends get it no more, within 1 s. The tenant cannot restore it.",
)
async def retire_template(
    request: ApiRequest, template_id: FromPath[str], data: JSONBody[Retirement], desk: NamedDependency[Desk]
) -> Response[TemplateView]:
    """Withdraw an approval."""
    now = desk.services.clock.now()

    async def decide(scope: TenantScope, session: AsyncSession, wanted: UUID) -> VersionedTemplate:
        return await decisions.retire(scope, session, wanted, data.version, by="operator", now=now)

    return await _decide(request, desk, template_id, decide)


@post(
    "/templates/{template_id:str}/restore",
    status_code=200,
    responses=refusals(*OPERATOR, *WITH_BODY, *WITH_IDEMPOTENCY, "not_found", "template_state"),
    summary="Bring a retired template version back",
)
async def restore_template(
    request: ApiRequest, template_id: FromPath[str], data: JSONBody[Retirement], desk: NamedDependency[Desk]
) -> Response[TemplateView]:
    """Make a version sendable again, whoever retired it."""
    now = desk.services.clock.now()

    async def decide(scope: TenantScope, session: AsyncSession, wanted: UUID) -> VersionedTemplate:
        return await decisions.restore(scope, session, wanted, data.version, by="operator", now=now)

    return await _decide(request, desk, template_id, decide)


async def _decide(
    request: ApiRequest, desk: Desk, template_id: str, decide: Decide
) -> Response[TemplateView]:
    wanted = path_id("tpl", template_id, "template")
    async with desk.operator() as session:
        scope = await pending_templates.owner(session, wanted)
    if scope is None:
        raise NotFound("template")

    async def work(session: AsyncSession) -> TemplateView:
        found = await decide(scope, session, wanted)
        return template_view(found, await tariff(scope, session, desk.services.clock.now()))

    answer = await desk.operator_once(request, work, status=200)
    await desk.services.policy_changed(scope.tenant_id)
    return answer


def _pending(template: Template, row: TemplateVersion, by: Tariff) -> PendingView:
    wording = wording_of(row)
    return PendingView(
        template_id=encode("tpl", template.id),
        tenant_id=encode("ten", template.tenant_id),
        name=template.name,
        version=row.version,
        state=row.state,
        body=row.body,
        type=row.type,
        use_case=str(wording.use_case),
        locale=row.locale,
        variants=row.variants,
        variables=row.variables,
        countries=row.countries,
        findings=row.findings,
        worst_case=worst_case_view(wording, by),
        submitted_at=timestamp(row.submitted_at),
    )


def _place(text: str | None) -> tuple[UUID, int] | None:
    if text is None:
        return None
    template, _, version = text.partition(".")
    try:
        return UUID(hex=template), int(version)
    except ValueError:
        raise invalid_cursor() from None
