"""`/v1/admin/tenants/{id}/migration`: bringing a tenant over from another provider or AWS account."""

from collections.abc import Sequence
from typing import Annotated, Final

from litestar import get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct, structs
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.api.admin.provision import claim_run
from gateway.api.bodies import ApiRequest
from gateway.api.desk import Desk
from gateway.api.documented import OPERATOR, WITH_BODY, WITH_IDEMPOTENCY, refusals
from gateway.api.moving.files import NumberRow, read_numbers
from gateway.api.moving.numbers import Held, JudgedNumber, asks_aws, held_by, judged
from gateway.api.moving.report import MigrationReport, MigrationRow, faulty, report
from gateway.api.moving.rows import Moving
from gateway.api.moving.views import MigrationView, migration_view
from gateway.api.path_ids import named_tenant, query_id
from gateway.api.recipients.opt_out_changing import project
from gateway.api.refusals import Refusal
from gateway.api.row_files import MAX_BYTES, RowFile
from gateway.carrier.provision.ports import ProvisionRefused, ProvisionRequest
from tenants.accounts import service as accounts
from tenants.moves import service
from tenants.moves.plan import MovedNumber, Percent, State
from tenants.scope import TenantScope

_HOME: Final = "/tenants/{tenant_id:str}/migration"
_ROOM: Final = 11 * MAX_BYTES
"""Five files, each escaped as JSON."""
Csv = Annotated[str, Meta(max_length=MAX_BYTES)]
Line = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
_READ: Final = (*OPERATOR, *WITH_BODY, "not_found", "provision_refused")


class MigrationFiles(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tenant brings, each file as CSV text whose first line names the columns; any may be left out."""

    provider: Line
    """Where it comes from; kept beside every opt-out."""
    account: Annotated[str, Meta(max_length=40)] | None = None
    """`acc_…`, the AWS account that leases the senders to adopt; the first one if absent."""
    volumes: Csv = ""
    """`country`, `messages_per_month`, and where wanted `parts_per_second` (the burst), `type`, `two_way`,
    `inbound_per_month`."""
    numbers: Csv = ""
    """`value`, `country`, `type`, `way` (`adopt`, `port`, `replace`, `leave`), and where wanted `case`."""
    templates: Csv = ""
    """`name`, `type`, `body`, and where wanted `use_case`, `countries` (`;` between), `locale`."""
    opt_outs: Csv = ""
    """As in `/v1/opt-outs/import`; up to 10,000 rows."""
    consents: Csv = ""
    """As in `/v1/consents/import`; up to 2,000 rows."""


class CutOver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of each country is texted from here."""

    shares: Annotated[dict[Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")], Percent], Meta(max_length=250)]
    """Per cent of the recipients; countries that are not named keep their share."""


class NumberMove(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of a number."""

    state: State
    case: Line | None = None
    """AWS's number of the support case."""
    note: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None


@post(
    _HOME + "/plan",
    status_code=200,
    request_max_body_size=_ROOM,
    responses=refusals(*_READ),
    summary="Plan a tenant's migration",
    description=(
        "Says row by row what `apply` would do with the same body: what is taken, what is here already, what "
        "is left to do by hand, and what is wrong. Asks AWS what it leases; writes nothing."
    ),
)
async def plan_migration(
    tenant_id: FromPath[str], data: JSONBody[MigrationFiles], desk: NamedDependency[Desk]
) -> MigrationReport:
    """Do all of it and take it back."""
    scope, numbers = named_tenant(tenant_id), read_numbers(data.numbers)
    sorted_out = await _judged(desk, scope, data, numbers)
    async with desk.operator() as session, session.begin_nested() as draft:
        moving = await _begun(desk, scope, session, data.provider)
        rows = await _taken(moving, data, sorted_out)
        await draft.rollback()
    return report([*rows, *_rows(sorted_out, numbers)], applied=False)


@post(
    _HOME + "/apply",
    status_code=200,
    request_max_body_size=_ROOM,
    responses=refusals(*_READ, *WITH_IDEMPOTENCY),
    summary="Apply a tenant's migration",
    description=(
        "Takes every row that can be taken: opt-outs first, then consents, templates, volumes and the "
        "inventory; then makes the tenant's senders of what the AWS account leases. Applying the same again, "
        "or a mended file, takes nothing twice. No opt-out ends and no withdrawn consent comes back by it."
    ),
)
async def apply_migration(
    request: ApiRequest,
    tenant_id: FromPath[str],
    data: JSONBody[MigrationFiles],
    desk: NamedDependency[Desk],
) -> MigrationReport:
    """Take the rows in one transaction, then adopt; no transaction is open while AWS is asked."""
    scope, numbers = named_tenant(tenant_id), read_numbers(data.numbers)
    await claim_run(request, desk, scope)
    sorted_out = await _judged(desk, scope, data, numbers)
    async with desk.operator() as session:
        moving = await _begun(desk, scope, session, data.provider)
        rows = await _taken(moving, data, sorted_out)
    await project(desk.services.opt_out_changed, scope.tenant_id, moving.changes)
    sorted_out = await _adopted(desk, scope, data, sorted_out)
    await desk.services.policy_changed(scope.tenant_id)
    return report([*rows, *_rows(sorted_out, numbers)], applied=True)


@get(
    _HOME,
    responses=refusals(*OPERATOR, "not_found"),
    summary="Read a tenant's migration",
    description=(
        "Country by country: what goes there, which sender it needs, whether it has one, and how much comes "
        "from here; and what became of each sender at the provider."
    ),
)
async def get_tenant_migration(tenant_id: FromPath[str], desk: NamedDependency[Desk]) -> MigrationView:
    """Return the migration."""
    async with desk.operator() as session:
        return await migration_view(named_tenant(tenant_id), session, now=desk.services.clock.now())


@put(
    _HOME + "/cut-over",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found", "cut_over_not_ready"),
    summary="Set how much of each country comes from here",
    description=(
        "The tenant's systems ask `/v1/migration/recipients/{number}` which of the two sends. A recipient "
        "who came over stays when the share grows. Above 0 a country needs an active sender."
    ),
)
async def cut_tenant_over(
    tenant_id: FromPath[str], data: JSONBody[CutOver], desk: NamedDependency[Desk]
) -> MigrationView:
    """Change shares, all or none."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        await service.cut_over(scope, session, data.shares)
        return await migration_view(scope, session, now=desk.services.clock.now())


@patch(
    _HOME + "/numbers/{value:str}",
    responses=refusals(*OPERATOR, *WITH_BODY, "not_found"),
    summary="Write down what came of a number",
    description="Such as that porting was asked for, or that AWS said no. One that has arrived is applied.",
)
async def move_number(
    tenant_id: FromPath[str], value: FromPath[str], data: JSONBody[NumberMove], desk: NamedDependency[Desk]
) -> MovedNumber:
    """Change the state of one sender of the inventory."""
    scope = named_tenant(tenant_id)
    async with desk.operator() as session:
        await accounts.get(scope, session)
        return await service.mark(scope, session, value, data.state, case=data.case, note=data.note)


async def _judged(
    desk: Desk, scope: TenantScope, data: MigrationFiles, numbers: RowFile[NumberRow]
) -> list[JudgedNumber]:
    """Compare the inventory with what the AWS account leases, asked only where that decides something."""
    async with desk.operator() as session:
        await accounts.get(scope, session)
    held: Held = {}
    if asks_aws(numbers.rows):
        account = None if data.account is None else query_id("acc", data.account, "/account")
        found = await desk.services.provision_desk.held(account)
        if isinstance(found, ProvisionRefused):
            raise Refusal("provision_refused", found.detail)
        held = held_by(found)
    return [judged(row, held, scope.tenant_id) for row in numbers.rows]


async def _begun(desk: Desk, scope: TenantScope, session: AsyncSession, provider: str) -> Moving:
    tenant = await accounts.get(scope, session)
    await service.note_provider(scope, session, provider)
    key = await desk.services.data_keys.of(scope.tenant_id)
    return Moving(scope, session, key, tenant, now=desk.services.clock.now())


async def _taken(moving: Moving, data: MigrationFiles, numbers: Sequence[JudgedNumber]) -> list[MigrationRow]:
    """Take the rows of every file; those of the inventory are in `numbers`."""
    rows: list[MigrationRow] = []
    rows += await moving.opt_outs(data.opt_outs, data.provider) if data.opt_outs else []
    rows += await moving.consents(data.consents) if data.consents else []
    rows += await moving.templates(data.templates) if data.templates else []
    rows += await moving.volumes(data.volumes) if data.volumes else []
    await moving.numbers([each.number for each in numbers if each.row.outcome != "refused"])
    return rows


async def _adopted(
    desk: Desk, scope: TenantScope, data: MigrationFiles, numbers: list[JudgedNumber]
) -> list[JudgedNumber]:
    """Make the tenant's senders of what the account leases; a refusal stays with its rows."""
    wishes = tuple(dict.fromkeys(each.wish for each in numbers if each.wish is not None))
    if not wishes:
        return numbers
    account = None if data.account is None else query_id("acc", data.account, "/account")
    request = ProvisionRequest(account_id=account, senders=wishes, dedicated_pool=False)
    outcome = await desk.services.provisioner.provision(scope, request)
    if isinstance(outcome, ProvisionRefused):
        return [each if each.wish is None else _refused(each, outcome.detail) for each in numbers]
    async with desk.operator() as session:
        for each in numbers:
            if each.wish is not None:
                await service.mark(scope, session, each.number.value, "done")
    return numbers


def _refused(each: JudgedNumber, why: str) -> JudgedNumber:
    return structs.replace(each, row=structs.replace(each.row, outcome="refused", detail=why))


def _rows(numbers: Sequence[JudgedNumber], read: RowFile[NumberRow]) -> list[MigrationRow]:
    found = [*(each.row for each in numbers), *faulty("numbers", read.faults)]
    return sorted(found, key=lambda row: row.line)
