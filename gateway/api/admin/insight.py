"""The operator's exports and support cases, each of them in the audit trail."""

from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Stream

from gateway.api.admin.messages import AsNumbers, OneTenant, note_look, wanted_by_operator
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, refusals
from gateway.api.files import CSV, FILES, PARQUET, AsFormat, file_of
from gateway.api.lists.message_query import MessageQuery, message_query
from gateway.api.path_ids import named_tenant, query_id
from gateway.api.v1.evidence import AsForm, Hours, OfCarrier, evidence_answer
from gateway.api.v1.exports import span_of
from gateway.api.v1.insight import Country
from gateway.insight import evidence, exporting, search
from gateway.insight.evidence import Evidence, Subject
from gateway.insight.records import MessageRecord
from tenants.accounts import service as accounts
from tenants.audit import store as audit
from tenants.inbox.service import PLATFORM


@get(
    "/exports/messages",
    opt={FILES: (CSV, PARQUET)},
    dependencies={"looked_for": Provide(message_query)},
    responses=refusals(*OPERATOR, "invalid_number"),
    summary="Export messages of all tenants",
    description=(
        "Takes the parameters of `GET /v1/admin/messages`; `created_after` is required, and the span at most "
        "92 days. In the audit trail like a search."
    ),
)
async def export_all_messages(
    desk: NamedDependency[Desk],
    looked_for: NamedDependency[MessageQuery],
    *,
    tenant: OneTenant = None,
    numbers: AsNumbers = "masked",
    form: AsFormat = "csv",
) -> Stream:
    """Send messages while they are read."""
    tenant_id = None if tenant is None else query_id("ten", tenant, "?tenant")
    wanted = await wanted_by_operator(desk, looked_for, tenant_id)
    span_of(wanted.created_after, wanted.created_before, now=desk.services.clock.now())
    async with desk.operator() as session:
        await note_look(session, "messages.exported", looked_for, tenant_id=tenant_id, numbers=numbers)
    batches = exporting.messages_of_all(
        desk.operator, wanted, desk.services.data_keys.of, numbers, tenant_id=tenant_id
    )
    return file_of(MessageRecord, batches, name="messages", form=form, owner=PLATFORM)


@get(
    "/tenants/{tenant_id:str}/evidence",
    opt={FILES: (CSV,)},
    responses=refusals(*OPERATOR, "not_found", "search_too_wide"),
    summary="Make a support case for a tenant",
    description="As `GET /v1/insight/evidence`; the tenant sees in its audit trail that it was made.",
)
async def get_tenant_evidence(
    tenant_id: FromPath[str],
    desk: NamedDependency[Desk],
    *,
    country: Country = None,
    carrier: OfCarrier = None,
    hours: Hours = 48,
    numbers: AsNumbers = "masked",
    form: AsForm = "json",
) -> Response[Evidence]:
    """Gather what a support case needs."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        key = await desk.services.data_keys.of(scope.tenant_id)
        await audit.append(
            scope,
            session,
            action="evidence.made",
            subject=tenant_id,
            detail={"country": country, "carrier": carrier, "numbers": numbers},
        )
        async with search.bounded(session):
            case = await evidence.gather(
                scope,
                session,
                key,
                Subject(country=country, carrier=carrier, hours=hours),
                now=desk.services.clock.now(),
                numbers=numbers,
            )
    return evidence_answer(case, form)
