"""What provisioning and the operator do with routes, senders and pools; safe to repeat."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal, get_args
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from tenants.audit import store as audit
from tenants.errors import InvalidInput, NotFound
from tenants.ids import encode
from tenants.rates import check_rate
from tenants.scope import TenantScope
from tenants.senders import quotas, store
from tenants.senders.endpoints import check_endpoint
from tenants.senders.mixing import check_mixing
from tenants.senders.models import AwsAccount, ConfigurationSet, Pool, Sender

SenderType = Literal["SHORT_CODE", "TEN_DLC", "LONG_CODE", "TOLL_FREE", "SENDER_ID", "SHARED", "SIMULATOR"]
SenderState = Literal["pending", "active", "standby", "disabled", "released"]
Channel = Literal["sms", "mms", "voice"]
MessageType = Literal["otp", "transactional", "promotional"]

DEFAULT_ACCOUNT: Final = "default"
CHANNELS: Final[tuple[Channel, ...]] = get_args(Channel)
MESSAGE_TYPES: Final = ("otp", "transactional", "promotional")
_COUNTRY: Final = re.compile("[A-Z]{2}")
_AT_FIRST: Final[Mapping[str, float | bool]] = MappingProxyType(
    {
        "sends_per_second": 1.0,
        "media_per_second": 1.0,
        "voice_per_second": 1.0,
        "shared_routes": False,
        "sandbox": False,
    }
)
"""What a new account has; 1 is what AWS gives it of each action. All else is nothing at first."""
_KEPT_STATES: Final = frozenset({"standby", "disabled"})
"""What an operator decided; AWS describing the sender as active does not undo it."""
NO_SHARED_ROUTES: Final = frozenset({"US", "CN"})
_NAME: Final = re.compile("[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")


class AccountFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    How an AWS account is reached and what it allows.

    UNSET leaves a field as it is, and None makes it what a new account has.
    """

    region: str | UnsetType = UNSET
    """A new account needs one."""
    endpoint_url: str | UnsetType | None = UNSET
    role_arn: str | UnsetType | None = UNSET
    external_id: str | UnsetType | None = UNSET
    sends_per_second: float | UnsetType | None = UNSET
    """SendTextMessage requests per second."""
    media_per_second: float | UnsetType | None = UNSET
    """SendMediaMessage requests per second."""
    voice_per_second: float | UnsetType | None = UNSET
    """SendVoiceMessage requests per second."""
    media_bucket: str | UnsetType | None = UNSET
    """Where files for MMS are staged."""
    topic_arn: str | UnsetType | None = UNSET
    subscription_arn: str | UnsetType | None = UNSET
    shared_routes: bool | UnsetType | None = UNSET
    """Whether messages may leave by AWS's shared routes."""
    sandbox: bool | UnsetType | None = UNSET
    """Whether the account is in AWS's sandbox."""
    owner_id: UUID | UnsetType | None = UNSET
    """The tenant whose own account it is."""


class SenderFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An origination identity as AWS describes it."""

    account_id: UUID
    type: SenderType
    value: str
    country: str
    arn: str
    parts_per_second: float
    """MPS that AWS allows it; the smallest of its countries where they differ."""
    message_types: list[str] = []
    """Types it may carry; empty for all."""
    state: SenderState = "active"
    channels: list[Channel] | None = None
    """None leaves them as they are; `sms` for a new one."""
    two_way: bool | None = None
    use_cases: list[str] | None = None
    """Use cases it is registered for; empty where no registration names one."""
    allow_mixed: bool | None = None
    """Whether it may carry promotional messages beside others; None leaves it as it is."""
    opt_out_list: str | None = None
    """AWS's list that its recipients stop on; None leaves it as it is."""


class PoolFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pool as the operator wants it."""

    name: str
    account_id: UUID
    message_types: list[str] = msgspec.field(default_factory=lambda: list(MESSAGE_TYPES))
    """Types for which it is the tenant's default."""
    aws_pool_arn: str | None = None
    opt_out_list: str = "Default"


async def ensure_account(
    session: AsyncSession, facts: AccountFacts, *, name: str = DEFAULT_ACCOUNT
) -> AwsAccount:
    """
    Add a route, or change of it what the facts name; needs a worker's session.

    Raises:
        InvalidInput: The name is none, a new account has no Region, a new rate breaks the rule of
            `tenants.rates`, a new endpoint cannot be called, or a tenant's own account would lose its role.
    """
    if _NAME.fullmatch(name) is None:
        raise InvalidInput("/name", "invalid_name", "a name is 1 to 100 letters, digits, blanks and ._-")
    known = await store.account_named(session, name, locked=True)
    given = {key: value for key, value in msgspec.structs.asdict(facts).items() if value is not UNSET}
    _check_account_rates(given, known)
    _check_endpoint(given, known)
    values = {key: _AT_FIRST.get(key) if value is None else value for key, value in given.items()}
    if known is None:
        if "region" not in values:
            raise InvalidInput(
                "/region", "required", f"there is no AWS account {name}; a new one needs a Region"
            )
        return (await store.upsert_account(session, name, {**_AT_FIRST, **values})).row
    _check_keeps_its_role(known, values)
    for key, value in values.items():
        setattr(known, key, value)
    await session.flush()
    return known


async def put_sender(scope: TenantScope, session: AsyncSession, facts: SenderFacts) -> Sender:
    """
    Add or change the tenant's sender with that ARN; needs a worker's session.

    Tenants that share the number have one line there, and so one rate: the figure named last.

    Raises:
        InvalidInput: A field breaks a rule.
    """
    _check_sender(facts)
    values = {key: value for key, value in msgspec.structs.asdict(facts).items() if value is not None}
    known = await store.sender_by_arn(scope, session, facts.arn)
    if facts.allow_mixed is not None:
        check_mixing(facts.message_types, allowed=facts.allow_mixed)
    if known is not None and known.state in _KEPT_STATES and facts.state in {"active", "pending"}:
        values["state"] = known.state
    written = await store.upsert_sender(scope, session, values.pop("arn"), values)
    if written.changed:
        for other in await store.sharing(scope, session, facts.arn):
            other.parts_per_second = facts.parts_per_second
        detail: dict[str, Any] = {"type": facts.type, "country": facts.country, "state": facts.state}
        if written.row.allow_mixed:
            detail["allow_mixed"] = True
        await _note(scope, session, "sender.put", encode("idn", written.row.id), detail)
    if known is None:
        await quotas.join(scope, session, written.row)
    return written.row


async def account_of(scope: TenantScope, session: AsyncSession, arn: str) -> UUID | None:
    """Return the account of the tenant's sender with an ARN; None where it has none."""
    row = await store.sender_by_arn(scope, session, arn)
    return None if row is None else row.account_id


async def shared_rate(scope: TenantScope, session: AsyncSession, arn: str) -> float | None:
    """Return the rate that other tenants have a number at; None where the tenant has it itself, or nobody."""
    if await store.sender_by_arn(scope, session, arn) is not None:
        return None
    return next((each.parts_per_second for each in await store.sharing(scope, session, arn)), None)


async def put_pool(
    scope: TenantScope, session: AsyncSession, facts: PoolFacts, *, sender_ids: Sequence[UUID]
) -> Pool:
    """
    Add or change the tenant's pool of that name and make it hold these senders, in this order.

    Raises:
        InvalidInput: A field breaks a rule, or a sender is named twice.
        NotFound: One of the senders is not the tenant's.
    """
    if _NAME.fullmatch(facts.name) is None:
        raise InvalidInput("/name", "invalid_name", "a name is 1 to 100 letters, digits, blanks and ._-")
    if len(set(sender_ids)) != len(sender_ids):
        raise InvalidInput("/senders", "listed_twice", "a pool holds a sender once")
    for sender_id in sender_ids:
        if await store.sender(scope, session, sender_id) is None:
            raise NotFound("sender")
    values = msgspec.structs.asdict(facts)
    written = await store.upsert_pool(scope, session, values.pop("name"), values)
    pool = written.row
    reordered = await store.set_members(scope, session, pool.id, sender_ids)
    if written.changed or reordered:
        await _note(scope, session, "pool.put", encode("pool", pool.id), {"senders": len(sender_ids)})
    return pool


async def put_configuration_set(
    scope: TenantScope, session: AsyncSession, *, account_id: UUID, name: str, arn: str
) -> ConfigurationSet:
    """Add or change the configuration set that the tenant's sends name in an account."""
    values = {"name": name, "arn": arn}
    written = await store.upsert_configuration_set(scope, session, account_id, values)
    if written.changed:
        subject = encode("cfg", written.row.id)
        await _note(scope, session, "configuration_set.put", subject, {"name": name})
    return written.row


def _check_sender(facts: SenderFacts) -> None:
    if facts.type not in get_args(SenderType):
        raise InvalidInput("/type", "invalid_type", f"a type is one of {', '.join(get_args(SenderType))}")
    if _COUNTRY.fullmatch(facts.country) is None:
        raise InvalidInput("/country", "invalid_country", "a country is two letters of ISO 3166-1")
    if facts.type == "SHARED" and facts.country in NO_SHARED_ROUTES:
        raise InvalidInput("/country", "no_shared_routes", f"AWS has no shared routes to {facts.country}")
    check_rate("/parts_per_second", facts.parts_per_second)


def _check_account_rates(given: Mapping[str, Any], known: AwsAccount | None) -> None:
    """A rate that stands already passes: one from before the rule must not keep the rest from changing."""
    for field in ("sends_per_second", "media_per_second", "voice_per_second"):
        rate = given.get(field)
        if rate is not None and rate != getattr(known, field, None):
            check_rate(f"/{field}", rate)


def _check_endpoint(given: Mapping[str, Any], known: AwsAccount | None) -> None:
    url = given.get("endpoint_url")
    if url is not None and url != getattr(known, "endpoint_url", None):
        check_endpoint("/endpoint_url", url)


def _check_keeps_its_role(known: AwsAccount, values: Mapping[str, Any]) -> None:
    """Without its role, the gateway would sign with its own keys what a tenant's own account is to send."""
    loses = known.role_arn is not None and values.get("role_arn", known.role_arn) is None
    if loses and values.get("owner_id", known.owner_id) is not None:
        detail = (
            'it is a tenant\'s own account, reached by its role: name another, or say `"owner": null`, too'
        )
        raise InvalidInput("/role_arn", "owner_needs_role", detail)


async def _note(
    scope: TenantScope, session: AsyncSession, action: str, subject: str, detail: dict[str, Any]
) -> None:
    await audit.append(scope, session, action=action, subject=subject, detail=detail)
