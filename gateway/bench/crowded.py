"""A tenant with as much policy as one may have, projected as the gateway does, and sends that it may."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from gateway.admission.gate import AdmissionGate
from gateway.admission.policy import TenantPolicy
from gateway.admission.projection import Recipients, override_list, tenant_prefix
from gateway.admission.verdict import Admission
from tenants.protection.overrides import mark
from tenants.protection.precedence import Override

_TENANT: Final = UUID(int=2)
_CONFIGURATION: Final = UUID(int=3)
_HASH_BYTES: Final = 16
"""Of a recipient's keyed hash, as `DataKey.recipient_hash` makes them."""
_COUNTRIES: Final = ("US", "CA", "GB", "DE", "FR", "IN")
_OPEN_RATE: Final = 1e6
"""Asked and charged like any rate, and never reached."""
_OVERRIDDEN_FOR: Final = timedelta(days=30)


class Crowd(Struct, frozen=True, kw_only=True):
    """How much the tenant has."""

    templates: int
    opted_out: int
    """Numbers on the list that forbids every message."""
    overrides: int
    """Numbers of which its protect configuration says something."""


class CrowdedTenant:
    """Projects itself; then makes sends, each of another template to another number."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._serial = count()
        self._templates = [UUID(int=1000 + number) for number in range(crowd.templates)]

    async def project(self, gate: AdmissionGate) -> None:
        """
        Write the whole policy into Redis.

        Raises:
            RuntimeError: Redis holds another policy of this tenant, which no benchmark has written.
        """
        if not await gate.project(self._policy(), self._lists):
            raise RuntimeError("the crowded tenant's policy was not taken")

    async def bytes_per_opted_out(self, client: Any) -> float:
        """Return what Redis keeps for one opted-out number: the whole set, each element counted."""
        whole = await client.memory_usage(f"{tenant_prefix(_TENANT)}:optout:all", samples=0)
        return float(whole) / self._crowd.opted_out

    def next(self) -> Admission:
        """Return a send that every gate lets through, so that the script goes its whole way."""
        number = next(self._serial)
        return Admission(
            tenant_id=_TENANT,
            policy_version=1,
            live=True,
            country=_COUNTRIES[number % len(_COUNTRIES)],
            template=(self._templates[number % len(self._templates)], 1),
            recipient_hash=os.urandom(_HASH_BYTES),
            use_cases=("all", "transactional"),
            parts=1,
            estimated_wait_ms=0,
            ttl_ms=60_000,
            protect=_CONFIGURATION,
        )

    def _policy(self) -> TenantPolicy:
        return TenantPolicy(
            tenant_id=_TENANT,
            version=1,
            state="active",
            live=True,
            free_text=False,
            countries=frozenset(_COUNTRIES),
            templates=dict.fromkeys(self._templates, frozenset({1, 2})),
            requests_per_second=_OPEN_RATE,
            country_refuse_mps=dict.fromkeys(_COUNTRIES, _OPEN_RATE),
        )

    async def _lists(self) -> Mapping[str, Recipients]:
        until = datetime.now(UTC) + _OVERRIDDEN_FOR
        said = mark(Override(action="ALWAYS_BLOCK", expires_at=until))
        return {
            "all": _hashes(self._crowd.opted_out),
            override_list(_CONFIGURATION): dict.fromkeys(_hashes(self._crowd.overrides), said),
        }


def _hashes(wanted: int) -> list[bytes]:
    drawn = os.urandom(wanted * _HASH_BYTES)
    return [drawn[at : at + _HASH_BYTES] for at in range(0, len(drawn), _HASH_BYTES)]
