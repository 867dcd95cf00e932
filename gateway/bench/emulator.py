"""
`emulator`: SendTextMessage calls a second that the emulator answers, beside a peer that answers a constant.

The calls name no configuration set, so nothing is signed and posted back; what that costs is in `life`.
"""

from typing import Any
from urllib.parse import urlsplit

import msgspec

from gateway.bench.bare_calls import HEADERS, calls, sender_of
from gateway.bench.ground import Ground, open_ground
from gateway.bench.http_wire import request_bytes
from gateway.bench.progress import Tell, in_rounds
from gateway.bench.report import Report, Round, Target, report_of
from gateway.bench.stack import us_per_message

TARGETS = {"answered_per_s": Target(at_least=2000.0)}
_MOST_PER_S = 60_000


async def measure(*, quick: bool, tell: Tell) -> Report:
    """Run the rounds."""
    seconds, rounds = (2.0, 3) if quick else (4.0, 5)
    async with open_ground() as ground:
        await ground.let_carrier("SILENT")
        members = calls(1, *await sender_of(ground.pool))[0]
        members.pop("ConfigurationSetName", None)
        return report_of(
            "emulator", await in_rounds(rounds, lambda: _round(ground, members, seconds), tell), TARGETS
        )


async def _round(ground: Ground, members: dict[str, Any], seconds: float) -> Round:
    return Round(
        figures=await _side(ground, members, seconds, "emulator", ground.emulator_url),
        baseline=await _side(ground, members, seconds, "peer", ground.peer_url),
    )


async def _side(
    ground: Ground, members: dict[str, Any], seconds: float, name: str, url: str
) -> dict[str, float]:
    request = request_bytes("POST", "/", HEADERS, msgspec.json.encode(members))
    address = urlsplit(url)
    outcome, cpu_s = await ground.stack.load(
        [request] * round(_MOST_PER_S * seconds),
        targets=[(address.hostname or "", address.port or 0)],
        seconds=seconds,
    )
    outcome.require(200)
    spent = us_per_message(cpu_s, outcome.completed, (name,))
    return {"answered_per_s": outcome.per_second, "p99_ms": outcome.p99_ms, "answer_us": spent[name]}
