"""
Writing what Postgres says about a tenant into Redis, where the admission script reads it.

The order that keeps an opt-out: Postgres commits it first, then `add_opt_out` runs; a replacement starts its
journal first, then reads Postgres. Whichever way the two interleave, the opt-out is in the read, in the
journal, or both.
"""

import secrets
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TypeAlias, TypeGuard
from uuid import UUID

from gateway.admission.policy import TenantPolicy
from gateway.admission.pumping import HELD_LIVES_MS, HeldPrefix, rule_number
from gateway.lanes.gates import kept_rate
from gateway.lanes.scripts import Argument, RedisScripts, read_script

Recipients: TypeAlias = Collection[bytes] | Mapping[bytes, bytes]
"""Keyed hashes of recipients; of a protect configuration's overrides, with what is said of each."""
ReadOptOuts: TypeAlias = Callable[[], Awaitable[Mapping[str, Recipients]]]
"""Reads a tenant's opt-out lists and, under `override_list`'s names, its overrides, when called."""

_LOCK_MS = 60_000
_FILL_CHUNK = 5_000
_SECOND_US = 1_000_000
_PROJECT = read_script("gateway.admission", "project.lua")


def override_list(configuration_id: UUID) -> str:
    """Return the name under which a configuration's overrides travel; no opt-out list has a slash."""
    return f"override/{configuration_id.hex}"


def tenant_prefix(tenant_id: UUID) -> str:
    """Return the key prefix, and slot, of everything admission keeps about a tenant."""
    return f"{{t:{tenant_id.hex}}}"


async def write_policy(scripts: RedisScripts, policy: TenantPolicy) -> bool:
    """Replace the tenant's policy unless a newer one is there; its opt-outs stay as they are."""
    arguments: list[Argument] = ["policy", policy.version, *_fields(policy)]
    return (await scripts.run(_PROJECT, tenant_prefix(policy.tenant_id), arguments))[0] == 1


async def replace_opt_outs(scripts: RedisScripts, tenant_id: UUID, read: ReadOptOuts) -> bool:
    """
    Replace all opt-outs of a tenant whose policy is there, at once and without losing a concurrent change.

    False when another process is doing the same at this moment, or the lock was lost; try again.
    """
    prefix, token = tenant_prefix(tenant_id), secrets.token_hex(8)
    if not await _done(scripts, prefix, ["begin", token, _LOCK_MS]):
        return False
    opt_outs = await read()
    filled = [use_case for use_case, hashes in opt_outs.items() if hashes]
    for use_case in filled:
        for chunk in _chunks(opt_outs[use_case]):
            # One after another: a big list must not keep Redis from others, or sit in memory packed twice.
            if not await _done(scripts, prefix, ["fill", token, _LOCK_MS, use_case, *chunk]):
                return False
    return await _done(scripts, prefix, ["finish", token, *filled])


async def put_override(
    scripts: RedisScripts, tenant_id: UUID, configuration_id: UUID, recipient_hash: bytes, mark: bytes
) -> None:
    """Let a configuration say `mark` of a recipient; call it after Postgres has committed."""
    arguments: list[Argument] = ["add", override_list(configuration_id), recipient_hash, mark]
    await scripts.run(_PROJECT, tenant_prefix(tenant_id), arguments)


async def remove_override(
    scripts: RedisScripts, tenant_id: UUID, configuration_id: UUID, recipient_hash: bytes
) -> None:
    """Let a configuration say nothing of a recipient; call it after Postgres has committed."""
    arguments: list[Argument] = ["remove", override_list(configuration_id), recipient_hash]
    await scripts.run(_PROJECT, tenant_prefix(tenant_id), arguments)


async def add_opt_out(scripts: RedisScripts, tenant_id: UUID, use_case: str, recipient_hash: bytes) -> None:
    """Refuse this recipient from now on; call it after Postgres has committed the opt-out."""
    await scripts.run(_PROJECT, tenant_prefix(tenant_id), ["add", use_case, recipient_hash])


async def remove_opt_out(
    scripts: RedisScripts, tenant_id: UUID, use_case: str, recipient_hash: bytes
) -> None:
    """Allow this recipient again; call it after Postgres has committed."""
    await scripts.run(_PROJECT, tenant_prefix(tenant_id), ["remove", use_case, recipient_hash])


async def restore_holds(scripts: RedisScripts, tenant_id: UUID, holds: Sequence[HeldPrefix]) -> None:
    """Give a Redis that forgot them the holds that have not ended; those that it has stay as they are."""
    if not holds:
        return
    arguments: list[Argument] = ["hold", HELD_LIVES_MS]
    for each in holds:
        hold = each.hold
        arguments += [each.workflow, hold.scope, hold.until_ms, rule_number(hold.rule), int(hold.enforced)]
    await scripts.run(_PROJECT, tenant_prefix(tenant_id), arguments)


async def lift_hold(scripts: RedisScripts, tenant_id: UUID, workflow: str, scope: str) -> bool:
    """End one hold of pumping.lua; False if there is none."""
    return await _done(scripts, tenant_prefix(tenant_id), ["lift", workflow, scope])


async def _done(scripts: RedisScripts, prefix: str, arguments: Sequence[Argument]) -> bool:
    return (await scripts.run(_PROJECT, prefix, arguments))[0] == 1


def _fields(policy: TenantPolicy) -> Iterator[Argument]:
    yield from ("state", policy.state, "live", int(policy.live), "free_text", int(policy.free_text))
    if policy.requests_per_second is not None:
        yield from ("request_us", _period_us(policy.requests_per_second))
    for country in policy.countries:
        yield from (f"c:{country}", 1)
    for template, versions in policy.templates.items():
        yield from (f"t:{template.hex}", f",{','.join(map(str, sorted(versions)))},")
    for country, rate in policy.country_refuse_mps.items():
        yield from (f"m:{country}", _period_us(rate))
    for country, messages in policy.country_daily_caps.items():
        yield from (f"d:{country}", messages)
    for blocked in policy.protect_blocks:
        yield from (f"p:{blocked}", 1)


def _period_us(rate: float) -> float:
    return _SECOND_US / kept_rate(rate)


def _has_values(recipients: Recipients) -> TypeGuard[Mapping[bytes, bytes]]:
    return isinstance(recipients, Mapping)


def _chunks(recipients: Recipients) -> Iterator[list[bytes]]:
    """Yield them in pieces of an even size, so that no hash is parted from its value."""
    flat = chain.from_iterable(recipients.items()) if _has_values(recipients) else recipients
    rest: Iterator[bytes] = iter(flat)
    while chunk := list(islice(rest, _FILL_CHUNK)):
        yield chunk
