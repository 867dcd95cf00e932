"""Bodies nobody thought of: every answer is one that the contract knows."""

import asyncio
import json
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.api.fake_roads import FakeDeadLetters, FakeFirehose, FakeParked
from gateway.api.fakes import (
    FakeHolds,
    FakeIngest,
    FakeLanes,
    FakeProjection,
    FakeProvisionDesk,
    FakeProvisioner,
    FakeReadiness,
    FakeSending,
    FakeTwoWay,
    FakeUploads,
    FakeVerifier,
)
from gateway.api.services import Services
from gateway.asgi import create_app
from gateway.clock import SystemClock
from gateway.settings import read_settings
from tenants.access.credential import StoredKey
from tenants.access.tokens import mint, pepper_from
from tenants.ids import new_uuid

SECRET_KEY = "secret-key-for-tests"
NAMES = st.sampled_from(
    ["to", "body", "template", "type", "from", "channel", "send_at", "context", "ttl_seconds"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(), inner, max_size=4),
    max_leaves=10,
)


def _application() -> tuple[Any, str]:
    """The real edge; no Postgres is needed to refuse a body."""
    environment = {
        "DATABASE_URL": "postgresql://nowhere.invalid/x",
        "REDIS_URL": "redis://nowhere.invalid",
        "TOLLGATE_OPERATOR_KEY": "operator-key-for-tests",
        "TOLLGATE_SECRET_KEY": SECRET_KEY,
    }
    projection = FakeProjection()
    app = create_app(
        Services(
            settings=read_settings(environment),
            clock=SystemClock(),
            tenant_engine=None,
            operator_engine=None,
            data_keys=None,
            sending=FakeSending(),
            media=FakeUploads(),
            pumping_holds=FakeHolds(),
            lanes=FakeLanes(),
            feed_until=None,
            provisioner=FakeProvisioner(),
            provision_desk=FakeProvisionDesk(),
            number_verifier=FakeVerifier(),
            two_way=FakeTwoWay(),
            ingest=FakeIngest(),
            firehose=FakeFirehose(),
            dead_letters=FakeDeadLetters(),
            parked_events=FakeParked(),
            readiness=FakeReadiness(),
            policy_changed=projection.policy_changed,
            opt_out_changed=projection.opt_out_changed,
            override_changed=projection.override_changed,
            account_check=None,
            carried_types=None,
            registrations=None,
            webhook_url_check=None,
        )
    )
    new = mint("live", pepper=pepper_from(SECRET_KEY))
    key = StoredKey(
        id=new.key_id,
        tenant_id=new_uuid(),
        mode="live",
        scopes=(),
        secret_hash=new.secret_hash,
        expires_at=None,
        revoked_at=None,
    )

    async def look_up(_: object) -> StoredKey:
        return key

    asyncio.run(app.dependencies["desk"].dependency()).keyring._look_up = look_up
    return app, new.token


APP, TOKEN = _application()


def _post(raw: bytes) -> httpx.Response:
    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(app=APP)
        async with httpx.AsyncClient(transport=transport, base_url="https://gateway.example") as client:
            headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
            return await client.post("/v1/messages", content=raw, headers=headers)

    return asyncio.run(post())


def _is_known(answer: httpx.Response) -> None:
    assert answer.status_code in {202, 400, 422}, answer.text
    if answer.status_code != 202:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] in {"invalid_json", "validation_failed", "unknown_field"}


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_are_a_500(raw: bytes) -> None:
    """They are no JSON, most of the time."""
    _is_known(_post(raw))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES | st.text(max_size=20), VALUES, max_size=6))
def test_no_json_is_a_500(body: dict[str, Any]) -> None:
    """Fields of the right names with every wrong value."""
    _is_known(_post(json.dumps(body).encode()))
