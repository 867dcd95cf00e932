"""`tollgate tenants onboard` on a running gateway: everybody goes as far as they can, and nobody mixes."""

import asyncio
import csv
import json
import os

import httpx
import pytest
from click.testing import CliRunner

from gateway.cli.root import tollgate
from tests.harness.fleet import OPERATOR_KEY
from tests.unit.tenants.onboarding_answers import COMPLETE

TENANTS = int(os.environ.get("ONBOARD_TENANTS", "6"))
PROFILE = COMPLETE["profile"]

pytestmark = pytest.mark.scenario


def cells(number: int) -> dict[str, str]:
    """Return one row; every third tenant wants a number that a carrier has to review."""
    reviewed = number % 3 == 2
    flat = {f"profile.{name}": value for name, value in PROFILE.items() if isinstance(value, str)}
    for part in ("address", "contact", "support"):
        flat |= {f"profile.{part}.{name}": value for name, value in PROFILE[part].items()}
    programme = COMPLETE["use_cases"]["programmes"][0]
    return {
        "slug": f"file-{os.getpid()}-{number}",
        "name": f"Tenant {number}",
        "model": "3",
        **flat,
        "relationship.brand_seen": "tenant",
        "relationship.opt_in_through": "tenant",
        "relationship.opt_in_shared": "no",
        "programme.use_case": programme["use_case"],
        "programme.type": programme["type"],
        "programme.description": programme["description"],
        "programme.sample": programme["samples"][0],
        "reach.countries": "US" if reviewed else "GB",
        "reach.messages_per_month": "1000",
        "senders": "US:TOLL_FREE" if reviewed else f"GB:SENDER_ID:FILE{number}",
        "legal.hosted": "yes",
        "opt_in.mode": "web_form",
        "opt_in.wording": COMPLETE["opt_in"]["wording"],
    }


async def onboard(fleet, path) -> list[dict[str, str]]:
    """Run the command; its rows."""
    arguments = ["tenants", "onboard", str(path), "--api-url", fleet.api_url, "--key", OPERATOR_KEY, "--json"]
    result = await asyncio.to_thread(CliRunner().invoke, tollgate, arguments)
    assert result.exit_code == 0, result.output + str(result.exception)
    return json.loads(result.stdout)


async def test_the_tenants_of_a_file_go_live_and_see_only_their_own(fleet, tmp_path) -> None:
    """A second run finds everything done; whoever waits for a carrier says so."""
    await fleet.start("dispatcher")
    path = tmp_path / "tenants.csv"
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(cells(0)))
        table.writeheader()
        table.writerows(cells(number) for number in range(TENANTS))
    first = await onboard(fleet, path)
    expected = ["registrations" if number % 3 == 2 else "live" for number in range(TENANTS)]
    assert [row["state"] for row in first] == expected, first
    senders: list[str] = []
    async with httpx.AsyncClient(base_url=fleet.api_url, trust_env=False) as client:
        operator = {"Authorization": f"Bearer {OPERATOR_KEY}"}
        for number, row in enumerate(first):
            keys = f"/v1/admin/tenants/{row['tenant']}/api-keys"
            made = await client.post(keys, json={"mode": "live"}, headers=operator)
            own = {"Authorization": f"Bearer {made.json()['secret']}"}
            seen = [each["value"] for each in (await client.get("/v1/senders", headers=own)).json()["data"]]
            assert seen == ([] if row["state"] != "live" else [f"FILE{number}"])
            senders += seen
            other = first[(number + 1) % TENANTS]["tenant"]
            assert other not in (await client.get("/v1/onboarding", headers=own)).text
    assert len(set(senders)) == len(senders)
    assert await onboard(fleet, path) == first
