"""What a registration gives a tenant to send with: its number, or the sender ids that its approval made."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final, cast

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.carrier.registration_shapes import Tied
from gateway.lanes.gates import identity_rate
from gateway.registrations.number_terms import number_terms
from gateway.registrations.placing import place
from tenants.credits.registration_fees import post_registration_fee
from tenants.registrations.checking import Values
from tenants.registrations.costs import charged_as
from tenants.registrations.forms import Form
from tenants.registrations.models import Registration, RegistrationVersion
from tenants.scope import TenantScope
from tenants.senders import service as senders
from tenants.senders.service import SenderFacts, SenderState, SenderType

_TRANSACTIONAL: Final = ["otp", "transactional"]
_PROMOTIONAL: Final = ["promotional"]
_CATEGORY: Final = ("useCaseCategory", "useCase", "subUseCases")
_TRANSACTIONAL_ONLY: Final = "messagingUseCase.transactionalOnly"


async def keep_number(
    scope: TenantScope,
    session: AsyncSession,
    row: Registration,
    form: Form,
    current: RegistrationVersion,
    *,
    state: SenderState,
) -> None:
    """Make the registration's number a sender of the tenant: pending under review, active afterwards."""
    if row.number_arn is None or row.account_id is None:
        return
    terms = number_terms(form, row, current.filled)
    kind = cast("SenderType", terms.number_type)
    facts = SenderFacts(
        account_id=row.account_id,
        type=kind,
        value=row.number or "",
        country=terms.country,
        arn=row.number_arn,
        parts_per_second=identity_rate(kind, terms.country),
        message_types=_PROMOTIONAL if terms.message_type == "PROMOTIONAL" else _TRANSACTIONAL,
        state=state,
        use_cases=use_cases(current.filled),
    )
    await _keep(scope, session, facts)


async def charge(
    scope: TenantScope, session: AsyncSession, row: Registration, form: Form, *, now: datetime
) -> None:
    """Charge the tenant for a registration with its first submission, as its plan and price book say."""
    kind, country = charged_as(form.type, row.number_terms)
    await post_registration_fee(
        scope, session, subject_id=row.id, country=country, type_=kind, name=row.name, now=now
    )


async def keep_sender_ids(
    scope: TenantScope,
    session: AsyncSession,
    row: Registration,
    current: RegistrationVersion,
    tied: Iterable[Tied],
) -> None:
    """Make the sender ids that an approval provisioned senders of the tenant."""
    for each in tied:
        if each.kind != "SENDER_ID" or each.country is None or row.account_id is None:
            continue
        only = bool(current.filled.get(_TRANSACTIONAL_ONLY))
        facts = SenderFacts(
            account_id=row.account_id,
            type="SENDER_ID",
            value=each.resource_id,
            country=each.country,
            arn=each.arn,
            parts_per_second=identity_rate("SENDER_ID", each.country),
            message_types=_TRANSACTIONAL if only else [],
            use_cases=use_cases(current.filled),
        )
        await _keep(scope, session, facts)


def use_cases(values: Values) -> list[str]:
    """Return the use cases that a filled form registers; empty where it names a collective or unknown one."""
    named: list[str] = []
    for path, value in values.items():
        if path.rpartition(".")[2] in _CATEGORY:
            named += [value] if isinstance(value, str) else value
    known = [_uses()[each] for each in named if each in _uses()]
    return sorted({use for uses in known for use in uses})


async def _keep(scope: TenantScope, session: AsyncSession, facts: SenderFacts) -> None:
    sender = await senders.put_sender(scope, session, facts)
    if sender.state == "active":
        await place(scope, session, sender)


@cache
def _uses() -> Mapping[str, list[str]]:
    source: Any = files("gateway.registrations").joinpath("registered_uses.json").read_bytes()
    return msgspec.json.decode(source, type=dict[str, list[str]])
