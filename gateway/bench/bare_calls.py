"""SendTextMessage requests as the dispatcher makes them, for the loop that does nothing else."""

from typing import Any, Final

from gateway.bench.tenant import BODY, COUNTRY_CODE, FIRST_NUMBER


async def sender_of(pool: Any) -> tuple[str, str]:
    """Return the ARN of the tenant's sender and the name of its configuration set."""
    row = await pool.fetchrow("SELECT sender_arn, configuration_set FROM messages LIMIT 1")
    return row["sender_arn"], row["configuration_set"]


def calls(count: int, sender_arn: str, configuration_set: str) -> list[dict[str, Any]]:
    """Return the members of `count` calls, each to a number of its own."""
    return [
        {
            "DestinationPhoneNumber": f"{COUNTRY_CODE}{FIRST_NUMBER + number}",
            "MessageBody": BODY,
            "MessageType": "TRANSACTIONAL",
            "MaxPrice": "0.50000",
            "TimeToLive": 259_000,
            "Context": {"tg_m": f"msg_01M7Y1KXFFE3STY7ZW{number:08d}", "tg_a": "1"},
            "OriginationIdentity": sender_arn,
            "ConfigurationSetName": configuration_set,
        }
        for number in range(count)
    ]


def text_of(parts: int) -> str:
    """Return a text of so many parts; more than one have 153 characters each."""
    words = BODY * (2 * parts)
    return words[:150] if parts == 1 else words[: 153 * parts - 9]


HEADERS: Final = {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "PinpointSMSVoiceV2.SendTextMessage",
    "x-amz-date": "20260101T000000Z",
    "authorization": (
        "AWS4-HMAC-SHA256 Credential=benchmark/20260101/us-east-1/sms-voice/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
    ),
}
"""Of a bare request; without credentials of its own the emulator believes any signature."""
