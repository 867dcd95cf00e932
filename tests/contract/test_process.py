"""What the machinery around the process asks, and what AWS posts."""

from dataclasses import replace

from gateway.api.fakes import FakeAnswer
from gateway.db.engine import create_engine
from gateway.errors import Unavailable


async def test_health_asks_nothing_of_anyone(nobody, world) -> None:
    """A dead Postgres must not have the process killed."""
    world.readiness.failing = {"postgres": "away"}
    answer = await nobody.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_readiness_names_what_does_not_answer(nobody, world) -> None:
    """The operator reads the reason off the probe."""
    assert (await nobody.get("/readyz")).json() == {"status": "ready", "failures": {}}
    world.readiness.failing = {"postgres": "connection refused", "redis": "connection refused"}
    answer = await nobody.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not_ready", "failures": world.readiness.failing}


async def test_a_process_without_redis_is_ready_and_says_what_it_lacks(nobody, world) -> None:
    """Sends are accepted without it; a balancer that took every process out would end that."""
    world.readiness.failing = {"redis": "connection refused"}
    answer = await nobody.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "degraded", "failures": {"redis": "connection refused"}}


async def test_metrics_are_prometheus_text_without_ids(nobody, customer) -> None:
    """Label values are route templates, never paths."""
    await customer.api.get("/v1/messages/msg_01K3ZQ4V7N8R9T0W2Y4A6C8E0G")
    answer = await nobody.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'route="/v1/messages/{message_id}"' in answer.text
    assert "msg_01K3ZQ" not in answer.text


async def test_an_sns_post_is_acknowledged_when_it_is_stored(nobody, world) -> None:
    """SNS posts JSON as text/plain; the bytes go on untouched, since a signature covers them."""
    raw = b'{"Type": "Notification",  "Message": "\\u00e9"}'
    answer = await nobody.post(
        "/v1/ingest/sns", content=raw, headers={"Content-Type": "text/plain; charset=UTF-8"}
    )
    assert (answer.status_code, answer.json()) == (200, {"outcome": "stored"})
    assert world.ingest.bodies == [raw]


async def test_a_strangers_post_is_a_403(nobody, world) -> None:
    """It learns the reason's name and nothing else."""
    world.ingest.answer = FakeAnswer(outcome="rejected", reason="bad_signature")
    answer = await nobody.post("/v1/ingest/sns", content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (403, "envelope_rejected")


async def test_an_sns_post_that_cannot_be_stored_is_a_503(nobody, world) -> None:
    """SNS tries again for hours; a 200 would lose the receipt."""
    world.ingest.answer = Unavailable("postgres is away")
    answer = await nobody.post("/v1/ingest/sns", content=b"{}")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_an_sns_post_has_a_limit_of_its_own(nobody, world) -> None:
    """256 KiB of message fit, also when JSON escapes double them."""
    assert (await nobody.post("/v1/ingest/sns", content=b"x" * 300_000)).status_code == 200
    answer = await nobody.post("/v1/ingest/sns", content=b"x" * 600_000)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert len(world.ingest.bodies) == 1


async def test_a_postgres_that_is_away_is_a_503_that_may_be_retried(customer, world) -> None:
    """Neither a 500 nor a 401: the key may be good, nobody can tell just now."""
    away = create_engine("postgresql://nobody@127.0.0.1:1/none", "worker", pool_size=1)
    without = type(world)(replace(world.services, operator_engine=away, tenant_engine=away))
    async with without.client(customer.key) as client:
        answer = await client.get("/v1/credits")
    await away.dispose()
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.json()["retryable"] is True
