"""SNS envelopes as the emulator signs them."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4


def signed_envelope(
    emulator: Any,
    topic_arn: str,
    message: Any,
    *,
    at: datetime | None = None,
    version: str = "2",
    tamper: dict[str, Any] | None = None,
    **members: Any,
) -> str:
    """Return what SNS would post; `members` are signed, `tamper` is written over it afterwards."""
    signer = emulator.world.signer
    made = {
        "Type": "Notification",
        "MessageId": str(uuid4()),
        "TopicArn": topic_arn,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    } | members
    made |= {
        "SignatureVersion": version,
        "Signature": signer.sign(made, version),
        "SigningCertURL": emulator.base_url + signer.certificate_path,
    }
    return json.dumps(made | (tamper or {}))
