"""What shows in a single answer: each act makes its sends and says what must come back."""

from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from msgspec import Struct

from gateway.demo.calling import Caller, Reply
from gateway.demo.onboarding import REJECTED, DemoTenant
from gateway.demo.script import BUDGET_LEFT, NOT_ALLOWED, Script, refused_number
from gateway.demo.tally import Tally

_OPTED_OUT: Final = "+447400199999"
_ACCEPTED: Final = 202


class Act(Struct, frozen=True, kw_only=True):
    """One thing that was shown."""

    what: str
    expected: str
    seen: str

    @property
    def held(self) -> bool:
        """Whether it came as it must."""
        return self.expected == self.seen


class Stage(Struct, frozen=True, kw_only=True):
    """Who is on it."""

    operator: Caller
    acme: DemoTenant
    bolt: DemoTenant
    script: Script
    tally: Tally
    show: Callable[[Act], None]

    def tenant(self, name: str) -> DemoTenant:
        """Return a tenant by name."""
        return self.acme if name == "acme" else self.bolt


async def refusals(stage: Stage) -> list[Act]:
    """Send what must never leave: nothing is stored, nothing is charged."""
    await stage.acme.caller.must("PUT", f"/v1/opt-outs/{_OPTED_OUT}")
    parcel = {"name": "parcel", "variables": {"name": "Ada", "number": "1"}}
    attempts: list[tuple[str, str, dict[str, Any]]] = [
        (
            "free text from a templates-only tenant",
            "403 template_required",
            {"to": "+447400100000", "body": "Hello"},
        ),
        (
            "a template that was rejected",
            "403 template_not_allowed",
            {"to": "+447400100000", "template": {"name": REJECTED}},
        ),
        (
            f"a country that is not allowed ({NOT_ALLOWED})",
            "403 country_not_allowed",
            {"to": refused_number(NOT_ALLOWED), "template": parcel},
        ),
        ("a number that has opted out", "403 opted_out", {"to": _OPTED_OUT, "template": parcel}),
    ]
    return [await _shown(stage, what, expected, body) for what, expected, body in attempts]


async def replay(stage: Stage) -> Act:
    """Send one message twice under one Idempotency-Key: one message, one answer."""
    key = str(uuid4())
    caller, body = stage.tenant(stage.script.replayed.tenant).caller, stage.script.replayed.body
    first = await caller.call("POST", "/v1/messages", body, idempotency_key=key)
    message_id = stage.tally.answered(stage.script.replayed.tenant, first)
    second = await caller.call("POST", "/v1/messages", body, idempotency_key=key)
    same = second.body.get("id") == message_id and second.headers.get("idempotent-replayed") == "true"
    seen = f"{second.status} {'the same message' if same else 'another message'}"
    return _show(stage, Act(what="the same request twice", expected="202 the same message", seen=seen))


async def last_credits(stage: Stage) -> Act:
    """Leave the second tenant the price of three messages and let it try five."""
    sends = stage.script.last_credits
    price = max([await _credits(stage, send.body) for send in sends])
    home = f"/v1/admin/tenants/{stage.bolt.id}/credits"
    available = int((await stage.operator.must("GET", home))["available"])
    change = {"amount": price * BUDGET_LEFT - available, "note": "the budget of the demo's last scene"}
    await stage.operator.must("POST", f"{home}/adjust", change)
    replies = [await stage.bolt.caller.call("POST", "/v1/messages", send.body) for send in sends]
    for reply in replies:
        stage.tally.answered("bolt", reply)
    seen = " ".join(_said(reply) for reply in replies)
    unpaid = len(sends) - BUDGET_LEFT
    expected = " ".join(["202"] * BUDGET_LEFT + ["402 insufficient_credits"] * unpaid)
    return _show(stage, Act(what="a budget that runs out", expected=expected, seen=seen))


async def _credits(stage: Stage, body: dict[str, Any]) -> int:
    estimate = await stage.bolt.caller.must("POST", "/v1/messages/estimate", body)
    return int(estimate["price"]["credits"])


async def _shown(stage: Stage, what: str, expected: str, body: dict[str, Any]) -> Act:
    reply = await stage.acme.caller.call("POST", "/v1/messages", body)
    stage.tally.answered("acme", reply)
    return _show(stage, Act(what=what, expected=expected, seen=_said(reply)))


def _show(stage: Stage, act: Act) -> Act:
    stage.show(act)
    return act


def _said(reply: Reply) -> str:
    return str(reply.status) if reply.status == _ACCEPTED else f"{reply.status} {reply.code}"
