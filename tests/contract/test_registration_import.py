"""`tollgate registrations` on a running gateway: seed 003's five rows, run twice, and drafts linted."""

import asyncio
import csv
import io
import json
import sys

import pytest

from tests.contract.test_registrations import picture

COMPANIES = ("Alder", "Birch", "Cedar", "Dogwood", "Elm")
COLUMNS = [
    "company_name",
    "website",
    "address_1",
    "city",
    "state_province",
    "postal_code",
    "country_code",
    "first_name",
    "last_name",
    "support_email",
    "support_phone",
    "monthly_volume",
    "use_case_category",
    "use_case_details",
    "opt_in_description",
    "opt_in_image",
    "sample_1",
]


def row(name, **changes):
    """One line of the table."""
    domain = f"{name.lower()}.com"
    told = (
        f"On https://{domain}/signup customers of {name} enter their number to get sign-in codes and tick "
        "an empty box. One message per login. Message and data rates may apply. Reply HELP for help, STOP to "
        f"opt out. Terms: https://{domain}/terms Privacy policy: https://{domain}/privacy"
    )
    cells = (
        f"{name}|https://{domain}|1 Main Street|Seattle|WA|98101|US|Jane|Doe|jane@{domain}|+12065550142|"
        f"1,000|One-time passcodes|{name} sends sign-in codes.|{told}|{name}.png|"
        f"{name}: your sign-in code is [code]."
    ).split("|")
    return dict(zip(COLUMNS, cells, strict=True)) | changes


@pytest.fixture
def folder(tmp_path):
    """A folder with a picture per company."""
    for name in COMPANIES:
        (tmp_path / f"{name}.png").write_bytes(picture())
    return tmp_path


def table(folder, rows):
    """Write the CSV file."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path = folder / "data.csv"
    path.write_text(text.getvalue())
    return str(path)


async def run(stack, speaker, *arguments, asked=None):
    """Run the command with a tenant's live key or the operator's; the exit status and what it printed."""
    client = getattr(speaker, "live", speaker)
    key = client.headers["authorization"].removeprefix("Bearer ")
    over = ["--api-url", stack.settings.public_url, "--key", key, *(["--json"] if asked is None else [])]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "registrations", *arguments, *over),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    wrote, said = await process.communicate(asked)
    return process.returncode, json.loads(wrote) if asked is None else (wrote + said).decode()


async def test_five_rows_are_registered_and_a_second_run_makes_nothing(stack, folder):
    """Seed 003: one number and one submission for each row, however often it is run."""
    customer = await stack.customer(provision=False)
    file = table(folder, [row(name) for name in COMPANIES])
    status, dry = await run(stack, customer, "import", file, "--images", str(folder), "--dry-run")
    assert (status, [each["outcome"] for each in dry]) == (0, ["ok"] * 5)
    assert (await customer.live.get("/v1/registrations")).json()["data"] == []
    status, done = await run(stack, customer, "import", file, "--images", str(folder), "--yes")
    assert (status, [each["outcome"] for each in done]) == (0, ["submitted"] * 5), done
    status, again = await run(stack, customer, "import", file, "--images", str(folder), "--yes")
    assert (status, [each["outcome"] for each in again]) == (0, ["known"] * 5)
    assert {each["registration"] for each in done} == {each["registration"] for each in again}
    assert len((await customer.live.get("/v1/registrations")).json()["data"]) == 5


async def test_the_operator_registers_for_the_tenants_that_a_column_names(stack, folder):
    """As the guide has it, without `--tenant`: the form was asked for as a tenant asks, and refused."""
    customers = [await stack.customer(provision=False) for _ in range(2)]
    rows = [row(name) | {"tenant": each.id} for name, each in zip(COMPANIES, customers, strict=False)]
    file = table(folder, rows)
    status, done = await run(stack, stack.operator, "import", file, "--images", str(folder), "--yes")
    assert (status, [each["outcome"] for each in done]) == (0, ["submitted"] * 2), done
    for customer, name in zip(customers, COMPANIES, strict=False):
        made = (await customer.live.get("/v1/registrations")).json()["data"]
        assert [each["name"] for each in made] == [name]


async def test_good_rows_go_on_beside_faulty_ones(stack, folder):
    """Each fault with its line and its field; exit status 1."""
    customer = await stack.customer(provision=False)
    rows = [
        row("Alder"),
        row("Birch", country_code="usa"),
        row("Cedar", opt_in_image="none.png"),
        row("Dogwood", sample_1="Dogwood: your code is at bit.ly/3x"),
        row("Alder"),
    ]
    file = table(folder, rows)
    status, done = await run(stack, customer, "import", file, "--images", str(folder), "--yes")
    assert status == 1
    assert [(each["line"], each["outcome"]) for each in done] == [
        (2, "submitted"),
        (3, "faulty"),
        (4, "faulty"),
        (5, "faulty"),
        (6, "faulty"),
    ]
    assert "isoCountryCode" in done[1]["detail"]
    assert "bit.ly" in done[3]["detail"]
    assert "line 2" in done[4]["detail"]


async def test_nothing_is_opened_before_the_cost_is_accepted(stack, folder):
    """Without --yes the command asks, and no is an end."""
    customer = await stack.customer(provision=False)
    file = table(folder, [row("Elm")])
    status, said = await run(stack, customer, "import", file, "--images", str(folder), asked=b"n\n")
    assert (status, "2.00 USD a month" in said) == (1, True)
    assert (await customer.live.get("/v1/registrations")).json()["data"] == []


async def test_a_draft_is_linted_over_the_api_and_from_a_shell(stack, tmp_path):
    """The same rules as at the submission."""
    customer = await stack.customer(provision=False)
    draft = {
        "kind": "sender_id",
        "company": "Acme",
        "country": "GB",
        "sender_id": "OTP",
        "samples": ["Acme: hi"],
    }
    answer = await customer.test.post("/v1/registrations/lint", json=draft)
    assert (answer.status_code, answer.json()["compliant"]) == (200, False)
    assert [each["code"] for each in answer.json()["findings"]] == ["sender_id_no_brand"]
    path = tmp_path / "draft.json"
    path.write_text(json.dumps(draft))
    status, found = await run(stack, customer, "lint", str(path))
    assert (status, found[0]["field"]) == (1, "sender_id")
    wrong = await customer.test.post("/v1/registrations/lint", json={"kind": "x", "company": "Acme"})
    assert wrong.json()["errors"][0]["field"] == "/kind"
