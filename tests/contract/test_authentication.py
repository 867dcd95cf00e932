"""Who may ask: keys, their scopes, their end, and the operator."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.api import keyring
from gateway.clock import FixedClock
from tenants.access.credential import KEY_SCOPES


def _code(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer tg_live_nonsense", "tg_live_x"]
)
async def test_no_good_key_is_a_401_with_a_challenge(nobody, header) -> None:
    """Every kind of bad credential reads the same from outside."""
    answer = await nobody.get("/v1/credits", headers={} if header is None else {"Authorization": header})
    assert _code(answer) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_one_changed_character_makes_a_key_no_key(customer, world) -> None:
    """The checksum is looked at first, the secret in constant time."""
    for position in (10, 40, 70, 82):
        other = "A" if customer.key[position] != "A" else "B"
        bent = customer.key[:position] + other + customer.key[position + 1 :]
        async with world.client(bent) as client:
            assert (await client.get("/v1/credits")).status_code == 401


async def test_a_bearer_word_knows_no_case(customer, nobody) -> None:
    """RFC 9110: the scheme's name is case-insensitive."""
    answer = await nobody.get("/v1/credits", headers={"Authorization": f"bEARER {customer.key}"})
    assert answer.status_code == 200


async def test_a_tenant_key_opens_nothing_of_the_operator(customer) -> None:
    """Also not its own tenant."""
    assert (await customer.api.get("/v1/admin/tenants")).status_code == 401
    assert (await customer.api.get(f"/v1/admin/tenants/{customer.id}")).status_code == 401


async def test_the_operator_key_is_no_tenant_key(operator) -> None:
    """The operator names a tenant; it never is one."""
    assert (await operator.get("/v1/credits")).status_code == 401


async def test_a_key_of_the_other_kind_is_told_which_kind_is_wanted(customer, operator, nobody) -> None:
    """By its beginning alone: a guess learns nothing of what keys there are."""
    wrong = await operator.get("/v1/credits")
    guess = await nobody.get("/v1/credits", headers={"Authorization": "Bearer anything"})
    assert wrong.json()["detail"] == guess.json()["detail"]
    assert "a tenant's key, which begins with tg_live_" in wrong.json()["detail"]
    wrong = await customer.api.get("/v1/admin/tenants")
    guess = await nobody.get("/v1/admin/tenants", headers={"Authorization": "Bearer tg_live_nonsense"})
    assert wrong.json()["detail"] == guess.json()["detail"]
    assert "the operator's key" in wrong.json()["detail"]
    unknown = await nobody.get("/v1/credits", headers={"Authorization": "Bearer tg_live_nonsense"})
    assert "unknown, revoked or expired" in unknown.json()["detail"]


@pytest.mark.parametrize(
    ("scope", "method", "path"),
    [
        ("messages:send", "POST", "/v1/messages/estimate"),
        ("messages:read", "GET", "/v1/messages"),
        ("templates", "GET", "/v1/templates"),
        ("senders:read", "GET", "/v1/senders"),
        ("opt-outs", "GET", "/v1/opt-outs"),
        ("webhooks", "GET", "/v1/webhook-endpoints"),
        ("credits:read", "GET", "/v1/credits"),
        ("keys", "GET", "/v1/api-keys"),
        ("audit:read", "GET", "/v1/audit"),
    ],
)
async def test_a_scope_opens_its_own_routes_and_no_others(
    customer, world, make_key, scope, method, path
) -> None:
    """A key for one purpose that leaks is lost for one purpose."""
    body = {"to": "+12065550123", "body": "x"} if method == "POST" else None
    async with world.client(await make_key(customer.id, scope)) as client:
        assert (await client.request(method, path, json=body)).status_code == 200
    others = [other for other in KEY_SCOPES if other != scope]
    async with world.client(await make_key(customer.id, *others)) as client:
        answer = await client.request(method, path, json=body)
    assert _code(answer) == (403, "missing_scope")
    assert scope in answer.json()["detail"]


async def test_a_key_revoked_elsewhere_is_refused_within_five_seconds(
    customer, world, make_key, operator, monkeypatch
) -> None:
    """Another process may have cached it; the cache trusts a row for less than that."""
    secret = await make_key(customer.id)
    elsewhere = type(world)(world.services)
    seconds = 0.0
    ring = elsewhere.app.dependencies["desk"]
    desk = await ring.dependency()
    monkeypatch.setattr(desk.keyring, "_monotonic", lambda: seconds)
    async with elsewhere.client(secret) as client:
        assert (await client.get("/v1/credits")).status_code == 200
        key_id = (await customer.api.get("/v1/api-keys")).json()["data"][0]["id"]
        await operator.delete(f"/v1/admin/tenants/{customer.id}/api-keys/{key_id}")
        seconds = keyring.TRUSTED_FOR_S + 0.01
        assert seconds < 5
        assert (await client.get("/v1/credits")).status_code == 401


async def test_a_key_revoked_here_is_refused_at_once(customer, world, make_key) -> None:
    """The process that revokes does not wait for its own cache."""
    secret = await make_key(customer.id, "keys")
    async with world.client(secret) as client:
        key_id = (await client.get("/v1/api-keys")).json()["data"][0]["id"]
        assert (await client.delete(f"/v1/api-keys/{key_id}")).status_code == 200
        assert (await client.get("/v1/api-keys")).status_code == 401


async def test_a_test_key_ends_no_live_key(customer, world, make_key) -> None:
    """Else a key that leaked from a build server would stop production."""
    async with world.client(await make_key(customer.id, mode="test")) as sandbox:
        keys = (await sandbox.get("/v1/api-keys")).json()["data"]
        ids = {each["mode"]: each["id"] for each in keys}
        refused = await sandbox.delete(f"/v1/api-keys/{ids['live']}")
        assert (refused.status_code, refused.json()["code"]) == (403, "live_key_required")
        assert (await customer.api.get("/v1/credits")).status_code == 200
        assert (await sandbox.delete(f"/v1/api-keys/{ids['test']}")).status_code == 200


async def test_an_expired_key_is_refused_even_while_it_is_cached(customer, world, make_key) -> None:
    """Its end is its end to the second."""
    now = datetime.now(UTC)
    secret = await make_key(customer.id, expires_at=(now + timedelta(seconds=60)).isoformat())
    clock = FixedClock(now)
    later = type(world)(_with_clock(world.services, clock))
    async with later.client(secret) as client:
        assert (await client.get("/v1/credits")).status_code == 200
        clock.advance(timedelta(seconds=61))
        await _forget_proofs(later)
        assert (await client.get("/v1/credits")).status_code == 401


async def test_a_suspended_tenant_still_reads(customer, operator) -> None:
    """Suspension stops sends, which admission refuses; the tenant may still look."""
    await operator.post(f"/v1/admin/tenants/{customer.id}/suspend")
    assert (await customer.api.get("/v1/credits")).status_code == 200


async def test_a_key_creates_no_key_that_may_do_more(customer, world, make_key) -> None:
    """Nobody gives what it has not."""
    async with world.client(await make_key(customer.id, "keys", "templates")) as client:
        wider = await client.post("/v1/api-keys", json={"mode": "live", "scopes": []})
        own = await client.post("/v1/api-keys", json={"mode": "live", "scopes": ["templates"]})
    assert (wider.status_code, wider.json()["errors"][0]["field"]) == (422, "/scopes")
    assert own.status_code == 201


def _with_clock(services, clock):
    return replace(services, clock=clock)


async def _forget_proofs(world) -> None:
    desk = await world.app.dependencies["desk"].dependency()
    desk.keyring._proven.clear()


async def test_no_route_of_v1_answers_without_a_key(world, nobody) -> None:
    """Every route and method, also with a wrong id or body; SNS posts carry a signature instead."""
    asked = 0
    for route in world.app.routes:
        if not route.path.startswith("/v1/") or route.path.startswith("/v1/ingest"):
            continue
        for method in route.methods:
            answer = await nobody.request(method, route.path.replace("{", "").replace(":str}", ""))
            assert answer.status_code == 401, (method, route.path)
            asked += 1
    assert asked > 60


async def test_an_options_request_lists_the_methods(customer) -> None:
    """It needs a key and no scope."""
    answer = await customer.api.options("/v1/messages")
    assert answer.status_code == 204
    assert "POST" in answer.headers["allow"]
