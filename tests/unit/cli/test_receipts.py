"""`tollgate receipts`: each command asks the operator's API for what it says, and shows what matters."""

from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli.root import tollgate
from tests.harness.told_api import ToldApi, told_api

QUEUE = {"id": "rq_1", "account": "acc_1", "url": "https://sqs/1/q", "signed_only": False}
KEY = {"id": "fhk_1", "account": "acc_1", "hint": "…ab", "created_at": "2026-11-21", "revoked_at": None}
NEW_KEY = {"id": "fhk_1", "access_key": "secret", "endpoint_url": "https://g/v1/ingest/firehose"}
LETTER = {"id": "1", "reason": "unsigned", "receives": 5, "sent_at": "x", "size_bytes": 9, "excerpt": "{"}
PARKED = {"received_at": "x", "reason": "foreign", "detail": "of nobody", "provider_message_id": "aws-1"}
ADMIN = "/v1/admin"


@pytest.fixture
def api() -> Iterator[ToldApi]:
    """One API on loopback."""
    with told_api() as api:
        yield api


@pytest.mark.parametrize(
    ("words", "answer", "asked", "shown"),
    [
        (["queues"], {"data": [QUEUE]}, ("GET", f"{ADMIN}/receipt-queues", None), "https://sqs/1/q"),
        (["queues"], {"data": []}, ("GET", f"{ADMIN}/receipt-queues", None), "No queue is read."),
        (
            ["add-queue", "acc_1", "https://sqs/1/q", "--signed-only"],
            QUEUE | {"signed_only": True},
            (
                "POST",
                f"{ADMIN}/receipt-queues",
                {"account": "acc_1", "url": "https://sqs/1/q", "signed_only": True},
            ),
            "Reading.",
        ),
        (["remove-queue", "rq_1"], {}, ("DELETE", f"{ADMIN}/receipt-queues/rq_1", None), "Removed."),
        (
            ["dead-letters", "rq_1", "--limit", "7"],
            {"data": [LETTER]},
            ("GET", f"{ADMIN}/receipt-queues/rq_1/dead-letters?limit=7", None),
            "unsigned",
        ),
        (
            ["redrive", "rq_1", "1", "2"],
            {"moved": 2},
            ("POST", f"{ADMIN}/receipt-queues/rq_1/redrive", {"letters": ["1", "2"]}),
            "2",
        ),
        (["redrive", "rq_1"], {"moved": 9}, ("POST", f"{ADMIN}/receipt-queues/rq_1/redrive", {}), "9"),
        (["firehose-keys"], {"data": [KEY]}, ("GET", f"{ADMIN}/firehose-keys", None), "fhk_1"),
        (
            ["new-firehose-key", "acc_1"],
            NEW_KEY,
            ("POST", f"{ADMIN}/firehose-keys", {"account": "acc_1"}),
            "secret",
        ),
        (
            ["revoke-firehose-key", "fhk_1"],
            KEY | {"revoked_at": "2026-11-22"},
            ("DELETE", f"{ADMIN}/firehose-keys/fhk_1", None),
            "Revoked.",
        ),
        (
            ["parked", "--reason", "foreign"],
            {"data": [PARKED], "next_cursor": None},
            ("GET", f"{ADMIN}/parked-receipts?limit=50&reason=foreign", None),
            "of nobody",
        ),
        (
            ["retry", "unreadable"],
            {"applied": 3, "parked": 1},
            ("POST", f"{ADMIN}/parked-receipts/retry", {"reason": "unreadable"}),
            "3",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_command_asks_for_what_it_says_and_shows_the_answer(
    api: ToldApi, words: list[str], answer: Any, asked: tuple[str, str, Any], shown: str
) -> None:
    """The method, the path, the body; then the answer for a person."""
    api.answers = [(200, answer)]
    result = CliRunner().invoke(tollgate, ["receipts", *words], env=api.environment)
    assert result.exit_code == 0, result.output
    assert api.asked == [asked]
    assert shown in result.output
