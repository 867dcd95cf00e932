"""Signatures that any Standard Webhooks library accepts."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.webhooks.event_types import EVENT_TYPES
from gateway.webhooks.signing import new_secret, signed_headers

BODY = json.dumps(
    {"type": "message.delivered", "timestamp": "2026-03-01T12:00:00.000Z", "data": {}, "sequence": 4}
)


def test_the_library_verifies_what_we_sign() -> None:
    """A receiver uses the same project's code in some language."""
    secret = new_secret()
    headers = signed_headers([secret], webhook_id="evt_1", at=datetime.now(UTC), body=BODY)
    assert Webhook(secret).verify(BODY, headers) == json.loads(BODY)


def test_every_live_secret_signs_during_rotation() -> None:
    """A receiver that knows only the old or only the new one accepts the delivery."""
    secrets = [new_secret(), new_secret()]
    headers = signed_headers(secrets, webhook_id="evt_1", at=datetime.now(UTC), body=BODY)
    assert [part[:3] for part in headers["webhook-signature"].split(" ")] == ["v1,", "v1,"]
    for secret in secrets:
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


@pytest.mark.parametrize("change", ["body", "webhook-id", "webhook-timestamp"])
def test_body_id_and_time_are_all_signed(change) -> None:
    """None of them can be replaced."""
    secret, now = new_secret(), datetime.now(UTC)
    headers = signed_headers([secret], webhook_id="evt_1", at=now, body=BODY)
    body = BODY.replace("4", "5") if change == "body" else BODY
    other = {"webhook-id": "evt_2", "webhook-timestamp": str(int(now.timestamp()) + 1)}
    headers |= {change: other[change]} if change in other else {}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_an_instant_in_another_zone_is_the_same_instant() -> None:
    """The library reads the clock's digits as UTC; an hour's error would be refused by every receiver."""
    secret = new_secret()
    at = datetime.now(UTC).astimezone(timezone(timedelta(hours=5, minutes=30)))
    Webhook(secret).verify(BODY, signed_headers([secret], webhook_id="evt_1", at=at, body=BODY))


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=200))
def test_any_text_can_be_signed(text) -> None:
    """Message bodies are people's words."""
    secret, body = new_secret(), json.dumps({"data": text}, ensure_ascii=False)
    headers = signed_headers([secret], webhook_id="evt_1", at=datetime.now(UTC), body=body)
    assert Webhook(secret).verify(body, headers) == {"data": text}


def test_misuse_is_refused() -> None:
    """An unsigned delivery or a naive time is a fault of ours, not an outcome."""
    with pytest.raises(ValueError, match="secret"):
        signed_headers([], webhook_id="evt_1", at=datetime.now(UTC), body=BODY)
    with pytest.raises(ValueError, match="aware"):
        signed_headers([new_secret()], webhook_id="evt_1", at=datetime(2026, 3, 1), body=BODY)  # noqa: DTZ001


def test_secrets_are_fresh_and_of_the_standard_form() -> None:
    """`whsec_` and 32 random bytes."""
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    keys = {base64.b64decode(secret.removeprefix("whsec_"), validate=True) for secret in secrets}
    assert {len(key) for key in keys} == {32}


def test_every_event_type_of_the_contract_is_described() -> None:
    """The list is public."""
    page = (Path(__file__).parents[3] / "docs/how-to/webhooks.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `([a-z_.]+)` \| [^|]+\. \|$", page, flags=re.MULTILINE)
    assert described == list(EVENT_TYPES)
