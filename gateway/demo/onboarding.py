"""Two tenants, from nothing to their first message, through the REST API alone."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from gateway.demo.calling import Caller, DemoError
from gateway.demo.receiver import Receiver
from gateway.demo.script import COUNTRIES, CROWDED, TenantName

_FAST: Final = 200
"""MPS of the senders that must not slow the demo down."""
_TEMPLATES: Final[dict[str, dict[str, Any]]] = {
    "login_code": {
        "body": "Acme: your code is {code}. Never share it.",
        "type": "otp",
        "variables": {"code": {"kind": "digits", "max_length": 6}},
    },
    "parcel": {
        "body": "Acme: hello {name}, parcel {number} is on its way.",
        "type": "transactional",
        "variables": {
            "name": {"kind": "text", "max_length": 20},
            "number": {"kind": "digits", "max_length": 6},
        },
    },
    "spring_sale": {
        "body": "Acme: {percent} % off everything this week. Reply STOP to end.",
        "type": "promotional",
        "variables": {"percent": {"kind": "digits", "max_length": 2}},
    },
}
REJECTED: Final = "too_good"
_IN_FORCE_WITHIN_S: Final = 5.0
_TYPES: Final = {"US": "TOLL_FREE"}


class DemoTenant(Struct, frozen=True, kw_only=True):
    """A tenant that can send."""

    name: TenantName
    id: str
    key: str
    caller: Caller


class Customer(Struct, frozen=True, kw_only=True):
    """What the operator is told about a tenant to be."""

    wanted: dict[str, Any]
    rates: dict[str, int]
    """Country to MPS of its sender."""
    money: dict[str, Any]


class Onboarding:
    """The operator's work, and each tenant's own first steps."""

    def __init__(self, operator: Caller, as_tenant: Callable[[str], Caller], receiver: Receiver) -> None:
        self._operator = operator
        self._as_tenant = as_tenant
        self._receiver = receiver

    async def acme(self, crowded_mps: int) -> DemoTenant:
        """A bank: pays in dollars, may send approved templates only."""
        tenant = await self._onboard(
            Customer(
                wanted={
                    "name": "Acme Bank",
                    "slug": "acme",
                    "model": 5,
                    "countries": list(COUNTRIES["acme"]),
                },
                rates=dict.fromkeys(COUNTRIES["acme"], _FAST) | {CROWDED: crowded_mps},
                money={"amount": "500.00", "note": "first invoice"},
            )
        )
        for name, wording in _TEMPLATES.items():
            await _approve(self._operator, tenant, name, wording)
        await _reject(self._operator, tenant)
        await _in_force(tenant, list(_TEMPLATES))
        return tenant

    async def bolt(self, budget: int) -> DemoTenant:
        """A shop: pays in credits, may send free text."""
        wanted = {"name": "Bolt Shop", "slug": "bolt", "model": 2, "countries": list(COUNTRIES["bolt"])}
        return await self._onboard(
            Customer(
                wanted=wanted | {"plan": {"pricing": "credits"}},
                rates=dict.fromkeys(COUNTRIES["bolt"], _FAST),
                money={"amount": budget, "note": "starter pack"},
            )
        )

    async def _onboard(self, customer: Customer) -> DemoTenant:
        operator, name = self._operator, customer.wanted["slug"]
        tenant_id = (await operator.must("POST", "/v1/admin/tenants", customer.wanted))["id"]
        home = f"/v1/admin/tenants/{tenant_id}"
        await operator.must("POST", f"{home}/provision", {"senders": _wishes(name, customer.rates)})
        await operator.must("POST", f"{home}/credits", customer.money)
        key = (await operator.must("POST", f"{home}/api-keys", {"mode": "live"}))["secret"]
        caller = self._as_tenant(key)
        url = f"{self._receiver.url}/{name}"
        endpoint = await caller.must("POST", "/v1/webhook-endpoints", {"url": url})
        self._receiver.trust(name, endpoint["secret"])
        return DemoTenant(name=name, id=tenant_id, key=key, caller=caller)


def _wishes(name: str, rates: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {"country": country, "type": "TOLL_FREE", "parts_per_second": rate}
        if _TYPES.get(country)
        else {"country": country, "type": "SENDER_ID", "value": name.upper(), "parts_per_second": rate}
        for country, rate in rates.items()
    ]


async def _approve(operator: Caller, tenant: DemoTenant, name: str, wording: dict[str, Any]) -> None:
    template = await _submitted(tenant, name, wording)
    await operator.must("POST", f"/v1/admin/templates/{template}/approve", {})


async def _reject(operator: Caller, tenant: DemoTenant) -> None:
    wording = {"body": "You have won! Click now.", "type": "promotional"}
    template = await _submitted(tenant, REJECTED, wording)
    await operator.must(
        "POST", f"/v1/admin/templates/{template}/reject", {"reason": "nobody has won anything"}
    )


async def _submitted(tenant: DemoTenant, name: str, wording: dict[str, Any]) -> str:
    template = await tenant.caller.must("POST", "/v1/templates", {"name": name, **wording})
    await tenant.caller.must("POST", f"/v1/templates/{template['id']}/submit", {})
    return str(template["id"])


async def _in_force(tenant: DemoTenant, names: list[str]) -> None:
    """An approval is in force everywhere within a second; ask until it is."""
    samples = {"code": "123456", "name": "Ada", "number": "1", "percent": "10"}
    async with asyncio.timeout(_IN_FORCE_WITHIN_S):
        for name in names:
            variables = {each: samples[each] for each in _TEMPLATES[name]["variables"]}
            body = {"to": "+447400123456", "template": {"name": name, "variables": variables}}
            while (reply := await tenant.caller.call("POST", "/v1/messages/estimate", body)).status != 200:  # noqa: PLR2004
                if reply.code != "template_not_allowed":
                    raise DemoError(f"the estimate was answered {reply.status}: {reply.body}")
                await asyncio.sleep(0.05)
