"""What the README shows of an explanation is what a tenant gets."""

import json
import re
from pathlib import Path

from tests.harness.numbers import us_number

README = Path(__file__).parents[2] / "README.md"


async def test_the_readmes_explanations_of_a_refused_and_an_admitted_send_are_true(stack) -> None:
    """The first text has a shortener, the second a link to the tenant's own domain."""
    told = (
        README.read_text(encoding="utf-8").partition("## Ask why, before or after")[2].partition("\n## ")[0]
    )
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", told, re.DOTALL)]
    assert [each["accepted"] for each in shown] == [False, True]
    customer = await stack.customer()
    for each, link in zip(shown, ("bit.ly/3abc", "https://acme.example/3abc"), strict=True):
        body = {"to": us_number(), "body": f"Your parcel: {link}", "type": "transactional"}
        answer = (await customer.live.post("/v1/messages/explain", json=body)).json()
        gates = {gate["gate"]: gate for gate in answer["gates"]}
        assert (answer["accepted"], answer["refused_with"]) == (each["accepted"], each["refused_with"])
        for gate in each["gates"]:
            assert gates[gate["gate"]].items() >= gate.items()
