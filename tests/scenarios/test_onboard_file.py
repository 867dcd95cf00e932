"""`tollgate tenants onboard` on a running gateway: everybody goes as far as they can, and nobody mixes."""

import asyncio
import csv
import json
import os
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from gateway.cli.root import tollgate
from tests.harness.fleet import OPERATOR_KEY
from tests.harness.leaks import Resident, look, mark
from tests.unit.tenants.onboarding_answers import COMPLETE

TENANTS = int(os.environ.get("ONBOARD_TENANTS", "6"))
PROFILE = COMPLETE["profile"]

pytestmark = pytest.mark.scenario


def cells(number: int) -> dict[str, str]:
    """Return one row, full of the tenant's mark; every third wants a number that a carrier has to review."""
    reviewed, name = number % 3 == 2, mark(number)
    flat = {f"profile.{field}": value for field, value in PROFILE.items() if isinstance(value, str)}
    for part in ("address", "contact", "support"):
        flat |= {f"profile.{part}.{field}": value for field, value in PROFILE[part].items()}
    programme = COMPLETE["use_cases"]["programmes"][0]
    return {
        "slug": f"file-{os.getpid()}-{name.lower()}",
        "name": f"Tenant {name}",
        "model": "3",
        **flat,
        "profile.legal_name": f"{name} Incorporated",
        "profile.brand": name,
        "profile.website": f"https://{name.lower()}.example",
        "profile.address.line1": f"1 {name} Street",
        "profile.contact.last_name": name,
        "profile.contact.email": f"ann@{name.lower()}.example",
        "profile.support.email": f"help@{name.lower()}.example",
        "relationship.brand_seen": "tenant",
        "relationship.opt_in_through": "tenant",
        "relationship.opt_in_shared": "no",
        "programme.use_case": programme["use_case"],
        "programme.type": programme["type"],
        "programme.description": programme["description"].replace("Acme", name),
        "programme.sample": programme["samples"][0].replace("Acme", name),
        "reach.countries": "US" if reviewed else "GB",
        "reach.messages_per_month": "1000",
        "senders": "US:TOLL_FREE" if reviewed else f"GB:SENDER_ID:{name}",
        "legal.hosted": "yes",
        "opt_in.mode": "web_form",
        "opt_in.wording": COMPLETE["opt_in"]["wording"].replace("Acme", name),
    }


def written(path: Path) -> Path:
    """Write the file."""
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(cells(0)))
        table.writeheader()
        table.writerows(cells(number) for number in range(TENANTS))
    return path


async def residents(fleet, rows: list[dict[str, str]]) -> list[Resident]:
    """Give each tenant a live key."""
    operator = {"Authorization": f"Bearer {OPERATOR_KEY}"}
    async with httpx.AsyncClient(base_url=fleet.api_url, trust_env=False, headers=operator) as client:
        found = []
        for number, row in enumerate(rows):
            made = await client.post(f"/v1/admin/tenants/{row['tenant']}/api-keys", json={"mode": "live"})
            key = made.json()["secret"]
            found.append(Resident(number=number, id=row["tenant"], slug=row["slug"], key=key))
    return found


async def onboard(fleet, path) -> list[dict[str, str]]:
    """Run the command; its rows."""
    arguments = ["tenants", "onboard", str(path), "--api-url", fleet.api_url, "--key", OPERATOR_KEY, "--json"]
    result = await asyncio.to_thread(CliRunner().invoke, tollgate, arguments)
    assert result.exit_code == 0, result.output + str(result.exception)
    return json.loads(result.stdout)


async def test_the_tenants_of_a_file_go_live_and_see_only_their_own(fleet, tmp_path) -> None:
    """A second run finds everything done; whoever waits for a carrier says so."""
    await fleet.start("dispatcher")
    path = written(tmp_path / "tenants.csv")
    first = await onboard(fleet, path)
    expected = ["registrations" if number % 3 == 2 else "live" for number in range(TENANTS)]
    assert [row["state"] for row in first] == expected, first
    async with httpx.AsyncClient(base_url=fleet.api_url, trust_env=False, timeout=120.0) as client:
        sight = await look(client, await residents(fleet, first))
    assert sight.leaks == []
    assert sight.own >= 4 * TENANTS, sight
    assert await onboard(fleet, path) == first
