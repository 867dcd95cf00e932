"""What the carriers and AWS allow a sender otherwise than by the facts, and the increases asked for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import NoneType
from typing import Any, Final, Literal, get_args
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType, structs
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.countries.reach import check_country, check_key
from tenants.errors import Conflict, InvalidInput, NotFound
from tenants.ids import encode, new_uuid
from tenants.rates import DayParts, Rate, check_day_parts, check_rate
from tenants.scope import TenantScope
from tenants.senders import store
from tenants.senders.models import Campaign, MpsIncrease, Sender, SenderQuota

UseCase = Literal[
    "ACCOUNT_NOTIFICATIONS",
    "CUSTOMER_CARE",
    "DELIVERY_NOTIFICATIONS",
    "FRAUD_ALERT",
    "HIGHER_EDUCATION",
    "LOW_VOLUME",
    "MARKETING",
    "MIXED",
    "POLLING_AND_VOTING",
    "PUBLIC_SERVICE_ANNOUNCEMENT",
    "SECURITY_ALERT",
    "TWO_FACTOR_AUTHENTICATION",
    "CHARITY",
]
"""The 10DLC campaign types that AWS names; LOW_VOLUME and MIXED keep the quota of an unvetted brand."""
_BEST_SCORE: Final = 100


class CampaignFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A 10DLC campaign as it is registered."""

    campaign_id: str
    brand_id: str
    use_case: UseCase
    vetting_score: int | None = None
    """0 to 100; absent where vetting was skipped."""
    parts_per_second: Rate | None = None
    """Only where the carriers granted another figure than the score's."""
    parts_per_day: DayParts | None = None
    """Likewise, of a day that ends at midnight in the Pacific, as T-Mobile's does."""


class QuotaChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to set for one sender; what is absent stays, null returns to the facts."""

    parts_per_second: Rate | UnsetType | None = UNSET
    """MPS of the sender in every country that `countries` does not name."""
    countries: dict[str, float] | UnsetType = UNSET
    """MPS by destination country (ISO 3166-1), each within the same bounds; replaces the whole map."""
    parts_per_day: DayParts | UnsetType | None = UNSET
    """Message parts per UTC day of this sender alone."""
    campaign: CampaignFacts | UnsetType | None = UNSET


class QuotaOf(Struct, frozen=True, kw_only=True):
    """What differs from the facts for one sender, with its campaign."""

    parts_per_second: float | None = None
    countries: Mapping[str, float] = {}
    parts_per_day: int | None = None
    campaign: CampaignFacts | None = None


async def quotas_of(scope: TenantScope, session: AsyncSession) -> dict[UUID, QuotaOf]:
    """Return the tenant's senders that differ from the facts."""
    return (await quotas_of_each(session, [scope.tenant_id])).get(scope.tenant_id, {})


async def quotas_of_each(
    session: AsyncSession, tenant_ids: Sequence[UUID]
) -> dict[UUID, dict[UUID, QuotaOf]]:
    """Return by tenant, in one query, the senders that differ from the facts; tenants may share a number."""
    query = (
        select(SenderQuota, Campaign)
        .outerjoin(
            Campaign,
            (Campaign.tenant_id == SenderQuota.tenant_id) & (Campaign.campaign_id == SenderQuota.campaign_id),
        )
        .where(SenderQuota.tenant_id.in_(tenant_ids))
    )
    found: dict[UUID, dict[UUID, QuotaOf]] = {}
    for row in (await session.execute(query)).all():
        found.setdefault(row[0].tenant_id, {})[row[0].sender_id] = _quota(*row)
    return found


async def change_quota(
    scope: TenantScope, session: AsyncSession, sender_id: UUID, change: QuotaChange
) -> QuotaOf:
    """
    Set what differs for a sender, for all tenants that share it; needs a worker's session.

    The lanes follow within seconds.

    Raises:
        InvalidInput: A figure breaks a rule.
        NotFound: The tenant has no such sender.
    """
    sender = await _sender(scope, session, sender_id, lock=True)
    _check(change)
    values: dict[str, Any] = {}
    for field, column in (
        ("parts_per_second", "parts_per_second"),
        ("countries", "country_parts_per_second"),
        ("parts_per_day", "parts_per_day"),
    ):
        if (value := getattr(change, field)) is not UNSET:
            values[column] = value
    if change.campaign is not UNSET:
        values["campaign_id"] = change.campaign.campaign_id if change.campaign else None
    for each in [sender, *await store.sharing(scope, session, sender.arn)] if values else []:
        owner, subject = TenantScope(tenant_id=each.tenant_id), encode("idn", each.id)
        if isinstance(change.campaign, CampaignFacts):
            await _put_campaign(owner, session, change.campaign)
        await _upsert(session, owner, each.id, values)
        await audit.append(owner, session, action="sender.quota_set", subject=subject, detail=values)
    return (await quotas_of(scope, session)).get(sender_id, QuotaOf())


async def request_increase(
    scope: TenantScope,
    session: AsyncSession,
    sender_id: UUID,
    *,
    parts_per_second: float,
    country: str | None = None,
    case_id: str | None = None,
    note: str | None = None,
) -> MpsIncrease:
    """
    Note an increase that was asked for at AWS; nothing is faster until it is approved.

    Raises:
        InvalidInput: The rate breaks the rule of `tenants.rates`, or AWS sends to no such country.
        NotFound: The tenant has no such sender.
    """
    await _sender(scope, session, sender_id)
    check_rate("/parts_per_second", parts_per_second)
    if country is not None:
        check_country("/country", country)
    row = MpsIncrease(
        tenant_id=scope.tenant_id,
        id=new_uuid(),
        sender_id=sender_id,
        country=country,
        requested_parts_per_second=parts_per_second,
        case_id=case_id,
        note=note,
    )
    session.add(row)
    await session.flush()
    await session.refresh(row)
    detail = {"sender": encode("idn", sender_id), "parts_per_second": parts_per_second}
    await audit.append(
        scope, session, action="mps_increase.requested", subject=encode("inc", row.id), detail=detail
    )
    return row


async def decide_increase(
    scope: TenantScope,
    session: AsyncSession,
    increase_id: UUID,
    *,
    approved: bool,
    at: datetime,
    parts_per_second: float | None = None,
) -> MpsIncrease:
    """
    Write down AWS's answer; an approval changes the sender's quota in the same transaction.

    Args:
        parts_per_second: What AWS granted, where it is not what was asked for.

    Raises:
        Conflict: It was decided otherwise.
        InvalidInput: The rate breaks the rule of `tenants.rates`.
        NotFound: The tenant has no such increase.
    """
    row = await session.scalar(
        select(MpsIncrease)
        .where(MpsIncrease.tenant_id == scope.tenant_id, MpsIncrease.id == increase_id)
        .with_for_update()
    )
    if row is None:
        raise NotFound("mps_increase")
    state = "approved" if approved else "denied"
    if row.state == state:
        return row
    if row.state != "requested":
        raise Conflict("conflict", f"the increase is {row.state} already; ask for another one")
    if approved:
        granted = row.requested_parts_per_second if parts_per_second is None else parts_per_second
        check_rate("/parts_per_second", granted)
        row.granted_parts_per_second = granted
        await _grant(scope, session, row, granted)
    row.state, row.decided_at = state, at
    await session.flush()
    await audit.append(
        scope, session, action=f"mps_increase.{state}", subject=encode("inc", row.id), detail={}
    )
    return row


async def increases(
    scope: TenantScope, session: AsyncSession, *, limit: int, after: UUID | None = None
) -> list[MpsIncrease]:
    """Return the tenant's increases, the newest first."""
    query = select(MpsIncrease).where(MpsIncrease.tenant_id == scope.tenant_id)
    if after is not None:
        query = query.where(MpsIncrease.id < after)
    return list(await session.scalars(query.order_by(MpsIncrease.id.desc()).limit(limit)))


async def join(scope: TenantScope, session: AsyncSession, sender: Sender) -> None:
    """Let a new sender have the quota, and the campaign, of a number that other tenants have already."""
    for other in await store.sharing(scope, session, sender.arn):
        of_other = await quotas_of(TenantScope(tenant_id=other.tenant_id), session)
        if (known := of_other.get(other.id)) is not None:
            change = QuotaChange(
                parts_per_second=known.parts_per_second,
                countries=dict(known.countries),
                parts_per_day=known.parts_per_day,
                campaign=known.campaign,
            )
            await change_quota(scope, session, sender.id, change)
            return


async def _grant(scope: TenantScope, session: AsyncSession, row: MpsIncrease, granted: float) -> None:
    sender = await _sender(scope, session, row.sender_id, lock=True)  # whoever grants another country waits
    values: dict[str, Any] = {"parts_per_second": granted}
    if row.country is not None:
        known = (await quotas_of(scope, session)).get(row.sender_id, QuotaOf())
        values = {"country_parts_per_second": {**known.countries, row.country: granted}}
    for each in [sender, *await store.sharing(scope, session, sender.arn)]:
        await _upsert(session, TenantScope(tenant_id=each.tenant_id), each.id, values)


async def _upsert(
    session: AsyncSession, scope: TenantScope, sender_id: UUID, values: Mapping[str, Any]
) -> None:
    row = {"tenant_id": scope.tenant_id, "sender_id": sender_id, **values}
    await session.execute(
        insert(SenderQuota)
        .values(row)
        .on_conflict_do_update(index_elements=["tenant_id", "sender_id"], set_=dict(values))
    )


async def _put_campaign(scope: TenantScope, session: AsyncSession, facts: CampaignFacts) -> None:
    """
    Add or change a campaign, for every tenant that has a number of it; needs a worker's session.

    The registry gives an id to one campaign and to one brand, and their lanes share one gate: two tenants of
    which each had another figure would both go by either. The score is the brand's: all its campaigns get it.
    """
    changed = {name: value for name, value in structs.asdict(facts).items() if name != "campaign_id"}
    row = {"tenant_id": scope.tenant_id, "campaign_id": facts.campaign_id, **changed}
    await session.execute(
        insert(Campaign)
        .values(row)
        .on_conflict_do_update(index_elements=["tenant_id", "campaign_id"], set_=changed)
    )
    of_brand = (Campaign.campaign_id == facts.campaign_id) | (Campaign.brand_id == facts.brand_id)
    everywhere = select(Campaign).where(of_brand).order_by(Campaign.tenant_id, Campaign.campaign_id)
    for known in await session.scalars(everywhere):
        is_it = known.campaign_id == facts.campaign_id
        for name, value in (changed if is_it else {"vetting_score": facts.vetting_score}).items():
            setattr(known, name, value)
        if session.is_modified(known) and known.tenant_id != scope.tenant_id:
            owner = TenantScope(tenant_id=known.tenant_id)
            await audit.append(owner, session, action="campaign.set", subject=known.campaign_id)
    await session.flush()


async def _sender(
    scope: TenantScope, session: AsyncSession, sender_id: UUID, *, lock: bool = False
) -> Sender:
    owned = Sender.tenant_id == scope.tenant_id
    query = select(Sender).where(owned, Sender.id == sender_id)
    row = await session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound("sender")
    return row


def _quota(row: SenderQuota, campaign: Campaign | None) -> QuotaOf:
    return QuotaOf(
        parts_per_second=row.parts_per_second,
        countries=row.country_parts_per_second,
        parts_per_day=row.parts_per_day,
        campaign=None
        if campaign is None
        else CampaignFacts(
            campaign_id=campaign.campaign_id,
            brand_id=campaign.brand_id,
            use_case=campaign.use_case,  # type: ignore[arg-type]  # checked when it was written
            vetting_score=campaign.vetting_score,
            parts_per_second=campaign.parts_per_second,
            parts_per_day=campaign.parts_per_day,
        ),
    )


def _check(change: QuotaChange) -> None:
    _check_limits("", change.parts_per_second, change.parts_per_day)
    if change.countries is not UNSET:
        for country, rate in change.countries.items():
            check_key("/countries", country)
            check_rate(f"/countries/{country}", rate)
    if isinstance(change.campaign, CampaignFacts):
        _check_campaign(change.campaign)


def _check_campaign(campaign: CampaignFacts) -> None:
    _check_limits("/campaign", campaign.parts_per_second, campaign.parts_per_day)
    if campaign.use_case not in get_args(UseCase):
        known = ", ".join(get_args(UseCase))
        raise InvalidInput("/campaign/use_case", "invalid_use_case", f"a use case is one of {known}")
    if campaign.vetting_score is not None and not 0 <= campaign.vetting_score <= _BEST_SCORE:
        raise InvalidInput("/campaign/vetting_score", "out_of_range", "a vetting score is 0 to 100")
    if not (campaign.campaign_id and campaign.brand_id):
        raise InvalidInput("/campaign", "unnamed", "a campaign has an id, and its brand has one")


def _check_limits(at: str, rate: float | UnsetType | None, per_day: int | UnsetType | None) -> None:
    if not isinstance(rate, (UnsetType, NoneType)):
        check_rate(f"{at}/parts_per_second", rate)
    if not isinstance(per_day, (UnsetType, NoneType)):
        check_day_parts(f"{at}/parts_per_day", per_day)
