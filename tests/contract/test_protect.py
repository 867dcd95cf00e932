"""Protect rules over the API: the tenant's own, what the operator locked, and the account's default."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway.admission.verdict import Admission, Refused
from gateway.db.transaction import tenant_transaction, worker_transaction
from gateway.intake.protect_tally import ProtectTally
from tenants.ids import decode, encode, new_uuid
from tenants.protection import service
from tenants.protection.models import ProtectFinding
from tenants.senders.service import AccountFacts, ensure_account

ALICE, BOB = "+12065550111", "+12065550122"
PATH = "/v1/protect"


async def make(customer: Any, name: str = "sign-up", **more: Any) -> str:
    answer = await customer.api.post(f"{PATH}/configurations", json={"name": name} | more)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def effective(customer: Any, **asked: str) -> dict[str, Any]:
    answer = await customer.api.get(f"{PATH}/effective", params={"number": ALICE} | asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def rule(shown: dict[str, Any]) -> tuple[str, str, str]:
    return shown["status"], shown["rule"], shown["origin"]


async def test_a_new_tenant_blocks_every_country_it_did_not_declare(customer) -> None:
    """Closed by default, before anybody has written a rule."""
    assert rule(await effective(customer)) == ("ALLOW", "country_not_named", "none")
    assert rule(await effective(customer, number="+33612345678")) == ("BLOCK", "country_allowlist", "none")


async def test_country_rules_are_changed_one_by_one_and_shown(customer, world) -> None:
    """What is not named stays; null takes a rule away."""
    first = await make(customer)
    changed = {"rules": {"US": "BLOCK", "CA": "MONITOR"}}
    shown = (await customer.api.put(f"{PATH}/country-rules", json=changed)).json()
    assert shown == {"configuration": first, "channel": "sms", "rules": {"CA": "MONITOR", "US": "BLOCK"}}
    assert customer.scope.tenant_id in world.projection.policies
    assert rule(await effective(customer)) == ("BLOCK", "country_rule", "tenant_default")
    assert rule(await effective(customer, channel="voice"))[1] == "country_not_named"
    await customer.api.put(f"{PATH}/country-rules", json={"rules": {"US": None}, "configuration": first})
    shown = (await customer.api.get(f"{PATH}/country-rules", params={"configuration": first})).json()
    assert shown["rules"] == {"CA": "MONITOR"}


async def test_the_request_stands_before_the_set_and_the_set_before_the_default(
    customer, operator, world
) -> None:
    """The display says which level decided."""
    default, of_set, named = [await make(customer, name) for name in ("default", "set", "named")]
    async with worker_transaction(world.services.operator_engine) as session:
        account = encode("acc", (await ensure_account(session, AccountFacts(region="us-east-1"))).id)
    path = f"/v1/admin/tenants/{customer.id}/protect-association"
    answer = await operator.put(path, json={"account": account, "configuration": of_set})
    assert answer.status_code == 200, answer.text
    assert (await effective(customer))["configuration"] == default
    by_set = await effective(customer, account=account)
    assert (by_set["configuration"], by_set["origin"]) == (of_set, "configuration_set")
    by_request = await effective(customer, account=account, configuration=named)
    assert (by_request["configuration"], by_request["origin"]) == (named, "request")
    refused = await customer.api.delete(f"{PATH}/configurations/{of_set}")
    assert (refused.status_code, refused.json()["code"]) == (409, "protect_in_use")
    await operator.put(path, json={"account": account, "configuration": None})
    assert (await customer.api.delete(f"{PATH}/configurations/{of_set}")).status_code == 204


async def test_an_override_stands_before_the_country_until_it_expires(customer, world) -> None:
    """And is told to admission as it is committed."""
    await make(customer)
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    put = await customer.api.put(
        f"{PATH}/overrides/{ALICE}", json={"action": "ALWAYS_BLOCK", "expires_at": until}
    )
    assert put.status_code == 200, put.text
    assert rule(await effective(customer))[:2] == ("BLOCK", "number_override")
    assert (await effective(customer))["expires_at"] == put.json()["expires_at"]
    assert world.projection.overrides[-1][3].startswith(b"B")
    listed = (await customer.api.get(f"{PATH}/overrides")).json()["data"]
    assert [(row["number"], row["action"]) for row in listed] == [(ALICE, "ALWAYS_BLOCK")]
    assert (await customer.api.delete(f"{PATH}/overrides/{ALICE}")).status_code == 204
    assert world.projection.overrides[-1][3] is None
    assert rule(await effective(customer))[1] == "country_not_named"
    assert (await customer.api.get(f"{PATH}/overrides")).json()["data"] == []
    assert (await customer.api.delete(f"{PATH}/overrides/{ALICE}")).status_code == 204


async def test_an_opt_out_stands_above_an_allow_override(customer) -> None:
    """As at AWS."""
    await make(customer)
    await customer.api.put(f"{PATH}/overrides/{BOB}", json={"action": "ALWAYS_ALLOW"})
    assert rule(await effective(customer, number=BOB))[:2] == ("ALLOW", "number_override")
    await customer.api.put(f"/v1/opt-outs/{BOB}")
    assert rule(await effective(customer, number=BOB))[:2] == ("BLOCK", "opted_out")


@pytest.mark.parametrize("number", ["2065550111", "+1 206 555 0111", "+1(206)5550111", "+120655501", "abc"])
async def test_a_malformed_number_is_refused(customer, number) -> None:
    """E.164 without spaces, hyphens or parentheses."""
    await make(customer)
    answer = await customer.api.put(f"{PATH}/overrides/{number}", json={"action": "ALWAYS_ALLOW"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_number"), answer.text


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("put", "/overrides/+12065550111", {"action": "MAYBE"}, "/action"),
        (
            "put",
            "/overrides/+12065550111",
            {"action": "ALWAYS_ALLOW", "expires_at": "2020-01-01T00:00:00Z"},
            "/expires_at",
        ),
        ("put", "/country-rules", {"rules": {"XX": "BLOCK"}}, "/rules/XX"),
        ("put", "/country-rules", {"rules": {"US": "SOMETIMES"}}, "/rules"),
        ("put", "/country-rules", {"rules": {}}, "/rules"),
        ("put", "/country-rules", {"rules": {"US": "BLOCK"}, "configuration": "nonsense"}, "/configuration"),
        ("post", "/configurations", {"name": " "}, "/name"),
        ("get", "/effective?number=%2B12065550111&configuration=nonsense", None, "?configuration"),
        ("get", "/effective?number=nonsense", None, "?number"),
        ("get", "/report?from=2026-01-01T00:00:00Z&to=2026-06-01T00:00:00Z", None, "?from"),
        ("get", "/report?from=2026-01-01T00:00:00&to=2026-01-02T00:00:00Z", None, "?from"),
    ],
)
async def test_bad_input_names_the_field(customer, method, path, body, field) -> None:
    """422 with the way out."""
    await make(customer)
    more = {} if body is None else {"json": body}
    answer = await customer.api.request(method.upper(), PATH + path, **more)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].startswith(field)


async def test_a_default_is_deleted_only_where_another_takes_its_place(customer, operator) -> None:
    """Deleting it must not open anything."""
    first, second = await make(customer, "first"), await make(customer, "second")
    refused = await customer.api.delete(f"{PATH}/configurations/{first}")
    assert (refused.status_code, refused.json()["code"]) == (409, "protect_in_use")
    path = f"{PATH}/configurations/{first}?replacement={second}"
    assert (await customer.api.delete(path)).status_code == 204
    left = (await customer.api.get(f"{PATH}/configurations")).json()["data"]
    assert [(row["id"], row["default"]) for row in left] == [(second, True)]
    unset = await customer.api.patch(f"{PATH}/configurations/{second}", json={"default": False})
    assert unset.json()["errors"][0]["field"] == "/default"


async def test_the_accounts_default_holds_where_a_tenant_has_none(customer, operator) -> None:
    """And goes only when another takes its place."""
    made = [
        (await operator.post("/v1/admin/protect", json={"name": name})).json()["id"] for name in ("a", "b")
    ]
    default = next(
        row["id"] for row in (await operator.get("/v1/admin/protect")).json()["data"] if row["default"]
    )
    other = next(each for each in made if each != default)
    rules = f"/v1/admin/protect/{default}/country-rules"
    assert (await operator.put(rules, json={"rules": {"US": "BLOCK"}})).json()["rules"] == {"US": "BLOCK"}
    assert (await operator.get(rules)).json()["rules"] == {"US": "BLOCK"}
    assert rule(await effective(customer)) == ("BLOCK", "country_rule", "account_default")
    await make(customer)
    assert rule(await effective(customer)) == ("ALLOW", "country_not_named", "tenant_default")
    refused = await operator.delete(f"/v1/admin/protect/{default}")
    assert (refused.status_code, refused.json()["code"]) == (409, "protect_in_use")
    assert (await operator.delete(f"/v1/admin/protect/{default}?replacement={other}")).status_code == 204
    assert (await operator.patch(f"/v1/admin/protect/{other}", json={"default": True})).status_code == 200


async def test_a_change_of_the_accounts_default_raises_every_tenants_policy(
    customer, stranger, operator
) -> None:
    """Admission of every tenant has to learn of it."""

    async def versions() -> list[int]:
        paths = (f"/v1/admin/tenants/{each.id}" for each in (customer, stranger))
        return [(await operator.get(path)).json()["policy_version"] for path in paths]

    before = await versions()
    await operator.post("/v1/admin/protect", json={"name": "raises"})
    assert all(after > was for after, was in zip(await versions(), before, strict=True))


async def test_what_the_operator_locked_the_tenant_only_reads(customer, operator) -> None:
    """Rules and overrides alike."""
    path = f"/v1/admin/tenants/{customer.id}/protect"
    locked = (await operator.post(path, json={"name": "locked", "locked": True})).json()["id"]
    own = {"configuration": locked}
    for answer in (
        await customer.api.put(f"{PATH}/country-rules", json={"rules": {"US": "ALLOW"}} | own),
        await customer.api.put(f"{PATH}/overrides/{ALICE}", json={"action": "ALWAYS_ALLOW"} | own),
        await customer.api.patch(f"{PATH}/configurations/{locked}", json={"name": "mine"}),
        await customer.api.delete(f"{PATH}/configurations/{locked}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "protect_locked"), answer.text
    changed = await operator.put(f"{path}/{locked}/country-rules", json={"rules": {"US": "FILTER"}})
    assert changed.status_code == 200
    assert rule(await effective(customer))[:2] == ("FILTER", "country_rule")
    assert (await operator.patch(f"{path}/{locked}", json={"locked": False})).json()["locked"] is False
    assert (
        await customer.api.patch(f"{PATH}/configurations/{locked}", json={"name": "x"})
    ).status_code == 200


async def test_a_default_that_the_operator_locked_stays_the_default(customer, operator) -> None:
    """A configuration without rules in its place would undo the lock."""
    path = f"/v1/admin/tenants/{customer.id}/protect"
    locked = (await operator.post(path, json={"name": "locked", "default": True, "locked": True})).json()
    own = await customer.api.post(f"{PATH}/configurations", json={"name": "own"})
    for answer in (
        await customer.api.post(f"{PATH}/configurations", json={"name": "free", "default": True}),
        await customer.api.patch(f"{PATH}/configurations/{own.json()['id']}", json={"default": True}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "protect_locked"), answer.text
    taken = await operator.patch(f"{path}/{own.json()['id']}", json={"default": True})
    assert (taken.status_code, taken.json()["default"], locked["default"]) == (200, True, True)


async def test_nobody_sees_or_changes_anothers(customer, stranger) -> None:
    """Another tenant's configuration does not exist."""
    theirs = await make(stranger)
    await make(customer)
    for answer in (
        await customer.api.patch(f"{PATH}/configurations/{theirs}", json={"name": "x"}),
        await customer.api.delete(f"{PATH}/configurations/{theirs}"),
        await customer.api.get(f"{PATH}/country-rules", params={"configuration": theirs}),
        await customer.api.get(f"{PATH}/effective", params={"number": ALICE, "configuration": theirs}),
        await customer.api.put(
            f"{PATH}/overrides/{ALICE}", json={"action": "ALWAYS_ALLOW", "configuration": theirs}
        ),
    ):
        assert answer.status_code == 404, answer.text


async def test_there_are_ten_thousand_overrides_and_no_more(customer, world, monkeypatch) -> None:
    """Admission's copy is bounded."""
    monkeypatch.setattr("tenants.protection.overrides.MAX_NUMBERS", 1)
    await make(customer)
    body = {"action": "ALWAYS_BLOCK"}
    assert (await customer.api.put(f"{PATH}/overrides/{ALICE}", json=body)).status_code == 200
    refused = await customer.api.put(f"{PATH}/overrides/{BOB}", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_overrides")
    assert (await customer.api.put(f"{PATH}/overrides/{ALICE}", json=body)).status_code == 200
    await customer.api.delete(f"{PATH}/overrides/{ALICE}")
    assert (await customer.api.put(f"{PATH}/overrides/{BOB}", json=body)).status_code == 200


async def test_the_report_counts_what_was_stopped_and_what_was_wrong(customer, world) -> None:
    """Own refusals by day, AWS's by message, and the tenant's word on them."""
    configuration = decode("prc", await make(customer))
    message = await _found(world, customer.scope, configuration)
    await _refused(world, customer.scope.tenant_id, configuration)
    marked = await customer.api.post(f"{PATH}/false-positives", json={"message_id": encode("msg", message)})
    assert marked.status_code == 204, marked.text
    report = (await customer.api.get(f"{PATH}/report")).json()
    shown = next(
        each for each in report["configurations"] if each["configuration"] == encode("prc", configuration)
    )
    assert shown["refused"] == 3
    assert shown["blocked"] == {
        "count": 4,
        "percent": 133.333,
        "by_country": {"FR": 3, "US": 1},
        "false_positives": 1,
    }
    assert shown["recommended"]["by_country"] == {"US": 1}
    unknown = await customer.api.post(
        f"{PATH}/false-positives", json={"message_id": encode("msg", new_uuid())}
    )
    assert unknown.status_code == 404


async def _found(world: Any, scope: Any, configuration: UUID) -> UUID:
    """AWS blocked a message, and would have."""
    message = new_uuid()
    async with worker_transaction(world.services.operator_engine) as session:
        for kind in ("blocked", "recommended"):
            session.add(
                ProtectFinding(
                    tenant_id=scope.tenant_id,
                    message_id=message,
                    kind=kind,
                    configuration_id=configuration,
                    channel="sms",
                    country="US",
                    reason="AIT_SUSPECTED",
                    at=datetime.now(UTC),
                )
            )
    return message


async def _refused(world: Any, tenant_id: UUID, configuration: UUID) -> None:
    tally = ProtectTally(world.services.data_keys._pool, world.services.clock)
    admission = Admission(
        tenant_id=tenant_id,
        policy_version=1,
        live=True,
        country="FR",
        template=None,
        recipient_hash=b"",
        use_cases=(),
        parts=1,
        estimated_wait_ms=0,
        ttl_ms=0,
        protect=configuration,
    )
    for _ in range(3):
        tally.count(admission, Refused(gate="protect_blocked", scope="country_rule"))
        tally.count(admission, Refused(gate="opted_out"))
    await tally.flush()


async def test_a_tenants_protection_is_read_whole(customer, world) -> None:
    """What the snapshot of admission rests on."""
    first = decode("prc", await make(customer))
    async with tenant_transaction(world.services.tenant_engine, customer.scope) as session:
        known = await service.protection(customer.scope, session)
    assert known.tenant_default == first
    assert set(known.configurations) == {first}


async def test_renaming_an_account_configuration_to_a_name_that_is_taken_is_refused(operator) -> None:
    """Found by generated requests: it was answered 500."""
    ids = []
    for name in ("first of two", "second of two"):
        made = await operator.post("/v1/admin/protect", json={"name": name})
        assert made.status_code == 201, made.text
        ids.append(made.json()["id"])
    for more in ({}, {"default": True}):
        body = {"name": "first of two"} | more
        answer = await operator.patch(f"/v1/admin/protect/{ids[1]}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
