"""Whether AWS still has the sender ids that a tenant was given, as they were given (F-SID-VERIFY)."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.carrier.control import OpenControl
from gateway.carrier.registrations import AwsRefusal
from gateway.carrier.sender_ids import AwsSenderIds, SeenSenderId
from gateway.db.transaction import worker_transaction
from gateway.errors import Unavailable
from tenants.registrations.bulk_sender_ids import DriftKind, SenderIdDrift, asked, given
from tenants.registrations.models import BulkSenderId
from tenants.scope import TenantScope
from tenants.senders import store as senders


async def drift_of(scope: TenantScope, engine: AsyncEngine, open_control: OpenControl) -> list[SenderIdDrift]:
    """
    Compare what was given with what AWS describes now, by sender id and country.

    Raises:
        Unavailable: AWS does not answer.
    """
    async with worker_transaction(engine) as session:
        rows = await asked(scope, session)
        known = {each.id: each for each in await senders.accounts(session)}
    found: list[SenderIdDrift] = []
    for account_id in dict.fromkeys(row.account_id for row in rows):
        ours = [row for row in rows if row.account_id == account_id]
        if account_id not in known:
            found += [_missing(row) for row in given(ours)]
            continue
        try:
            async with open_control(known[account_id]) as control:
                at_aws = {each.arn: each for each in await AwsSenderIds(control).every_one()}
        except AwsRefusal as refusal:
            raise Unavailable(refusal.detail) from refusal
        found += differences(ours, at_aws)
    return sorted(found, key=lambda each: (each.sender_id, each.country, each.kind))


def differences(rows: Sequence[BulkSenderId], at_aws: Mapping[str, SeenSenderId]) -> list[SenderIdDrift]:
    """Return how AWS's sender ids, by ARN, differ from what was given in one account."""
    found: list[SenderIdDrift] = []
    for row in given(rows):
        seen = at_aws.get(row.arn or "")
        found += [_missing(row)] if seen is None else _changed(row, seen)
    values = {row.value.upper() for row in rows}
    arns = {row.arn for row in rows}
    waiting = {(row.value.upper(), row.country) for row in rows if row.state == "waiting"}
    for seen in at_aws.values():
        place = (seen.value.upper(), seen.country)
        if seen.value.upper() in values and seen.arn not in arns and place not in waiting:
            found.append(_one(seen.value, seen.country, "not_asked_for", "", seen.arn))
    return found


def _changed(row: BulkSenderId, seen: SeenSenderId) -> list[SenderIdDrift]:
    found: list[SenderIdDrift] = []
    if not seen.protected:
        found.append(_one(row.value, row.country, "unprotected", "true", "false"))
    if not set(row.message_types) <= set(seen.message_types):
        wanted, there = ", ".join(row.message_types), ", ".join(seen.message_types)
        found.append(_one(row.value, row.country, "message_types", wanted, there))
    if row.monthly_usd != seen.monthly_usd:
        found.append(_one(row.value, row.country, "price", row.monthly_usd or "", seen.monthly_usd))
    return found


def _missing(row: BulkSenderId) -> SenderIdDrift:
    return _one(row.value, row.country, "missing", row.arn or "", "")


def _one(sender_id: str, country: str, kind: DriftKind, wanted: str, found: str) -> SenderIdDrift:
    return SenderIdDrift(sender_id=sender_id, country=country, kind=kind, wanted=wanted, found=found)
