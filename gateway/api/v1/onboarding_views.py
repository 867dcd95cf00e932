"""An onboarding as tenants and the operator see it, and the answers as they give them."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.messages.view import timestamp
from gateway.onboarding.facts import facts, facts_of_each
from tenants.accounts import service as accounts
from tenants.accounts import store as tenants_store
from tenants.accounts.models import Tenant
from tenants.accounts.operating_models import MODELS, OperatingModel
from tenants.accounts.sealing import DataKey
from tenants.ids import encode
from tenants.onboarding import service
from tenants.onboarding.answers import Legal, OptIn, Profile, Reach, Relationship, Senders, UseCases
from tenants.onboarding.models import Onboarding
from tenants.onboarding.steps import Answers, Facts, Step, StepName, checklist, next_step
from tenants.scope import TenantScope


class GivenAnswers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some answers; what is absent stays as it was."""

    version: int | UnsetType = UNSET
    """The onboarding's `version` that was read; a later answer of somebody else is then not overwritten."""
    profile: Profile | UnsetType = UNSET
    relationship: Relationship | UnsetType = UNSET
    use_cases: UseCases | UnsetType = UNSET
    reach: Reach | UnsetType = UNSET
    senders: Senders | UnsetType = UNSET
    legal: Legal | UnsetType = UNSET
    opt_in: OptIn | UnsetType = UNSET

    def given(self) -> dict[str, object]:
        """Return the answers by name."""
        named = {name: getattr(self, name) for name in self.__struct_fields__ if name != "version"}
        return {name: value for name, value in named.items() if value is not UNSET}


class OnboardingView(Struct, frozen=True, kw_only=True):
    """How far a tenant is on its way to the first live message."""

    tenant_id: str
    tenant_name: str
    version: int
    """Grows with every answer."""
    next: StepName | None
    """The first step that is not done; null once live."""
    steps: list[Step]
    model: OperatingModel
    """Who does what: one of the six ways of working together."""
    registrant: str | None
    """Whose data is registered, `tenant` or `operator`; null while undecided."""
    answers: Answers
    asked_at: str | None
    approved_at: str | None
    live_at: str | None
    updated_at: str | None


async def read_onboarding(
    scope: TenantScope, session: AsyncSession, key: DataKey
) -> tuple[Onboarding | None, Answers, Facts]:
    """Return everything that is known of a tenant's onboarding."""
    row, answers = await service.read(scope, session, key)
    return row, answers, await facts(scope, session, row, answers)


async def onboarding_view(scope: TenantScope, session: AsyncSession, key: DataKey) -> OnboardingView:
    """
    Return a tenant's onboarding, also before its first answer.

    Raises:
        NotFound: There is no such tenant.
    """
    tenant = await accounts.get(scope, session)
    row, answers, known = await read_onboarding(scope, session, key)
    return _view(tenant, row, answers, known)


async def onboarding_views(
    session: AsyncSession, rows: Sequence[Onboarding], keys: Mapping[UUID, DataKey]
) -> list[OnboardingView]:
    """Return onboardings that have begun, of several tenants: as many queries as for one."""
    tenants = await tenants_store.of_each(session, [row.tenant_id for row in rows])
    begun = {
        row.tenant_id: (row, service.opened(TenantScope(tenant_id=row.tenant_id), row, keys[row.tenant_id]))
        for row in rows
    }
    known = await facts_of_each(session, begun)
    return [
        _view(tenants[tenant_id], row, answers, known[tenant_id])
        for tenant_id, (row, answers) in begun.items()
    ]


def _view(tenant: Tenant, row: Onboarding | None, answers: Answers, known: Facts) -> OnboardingView:
    steps = checklist(answers, known)
    first = next_step(steps)
    return OnboardingView(
        tenant_id=encode("ten", tenant.id),
        tenant_name=tenant.name,
        version=0 if row is None else row.version,
        next=None if first is None else first.name,
        steps=steps,
        model=MODELS[tenant.model],
        registrant=None if row is None else service.registrant(answers, row),
        answers=answers,
        asked_at=None if row is None else timestamp(row.asked_at),
        approved_at=None if row is None else timestamp(row.approved_at),
        live_at=None if row is None else timestamp(row.live_at),
        updated_at=None if row is None else timestamp(row.updated_at),
    )
