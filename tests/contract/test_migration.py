"""F-MIGR: a tenant comes over from another provider, file by file, row by row, country by country."""

from collections import Counter

import pytest

from tests.contract.test_redundancy import counted
from tests.harness.numbers import us_number

TEMPLATES = (
    "name,type,body\n"
    'code,otp,"Acme: your code is {{1}}. Do not share it."\n'
    'reminder,transactional,"Acme: {{User.Name}}, see you on {{Day}}. Reply STOP to opt out."\n'
    'broken,otp,"Acme: your code is {code"\n'
)
VOLUMES = "country,messages_per_month,parts_per_second,two_way\nUS,250000,3,yes\nZZ,1,1,no\nUS,many,1,no\n"


def home(customer) -> str:
    """Return the operator's path of the tenant's migration."""
    return f"/v1/admin/tenants/{customer.id}/migration"


def outcomes(report, file: str) -> list[tuple[int, str]]:
    """Return what became of each line of a file."""
    return [(row["line"], row["outcome"]) for row in report["rows"] if row["file"] == file]


async def posted(operator, path: str, body: dict):
    """Return the report of a plan or of an application."""
    answer = await operator.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_plan_says_what_applying_does_and_writes_nothing(customer, operator) -> None:
    """A dry run that lies is worse than none; applying again takes nothing twice."""
    stopped, agreed = us_number(), us_number()
    files = {
        "provider": "Other Telecom",
        "volumes": VOLUMES,
        "templates": TEMPLATES,
        "opt_outs": f"number\n{stopped}\nnonsense\n",
        "consents": f"number,use_case,type\n{agreed},offers,promotional\n",
    }
    planned = await posted(operator, f"{home(customer)}/plan", files)
    assert (await operator.get(home(customer))).json() == {"provider": "", "countries": [], "numbers": []}
    assert (await customer.api.get("/v1/opt-outs")).json()["data"] == []
    applied = await posted(operator, f"{home(customer)}/apply", files)
    assert applied["rows"] == planned["rows"]
    assert (planned["applied"], applied["applied"]) == (False, True)
    assert [each["file"] for each in applied["files"]] == ["opt_outs", "consents", "templates", "volumes"]
    assert outcomes(applied, "volumes") == [(2, "new"), (3, "faulty"), (4, "faulty")]
    assert outcomes(applied, "templates") == [(2, "new"), (3, "new"), (4, "faulty")]
    assert outcomes(applied, "opt_outs") == [(2, "new"), (3, "faulty")]
    assert outcomes(applied, "consents") == [(2, "new")]
    assert stopped not in str(applied)
    again = await posted(operator, f"{home(customer)}/apply", files)
    assert {row["outcome"] for row in again["rows"]} == {"known", "faulty"}
    asked = {"number": stopped}
    (change,) = (await customer.api.get("/v1/opt-outs/changes", params=asked)).json()["data"]
    assert (change["number"], change["source"], change["note"]) == (stopped, "csv", "from Other Telecom")
    bodies = {each["name"]: each["body"] for each in (await customer.api.get("/v1/templates")).json()["data"]}
    assert bodies["code"] == "Acme: your code is {v1}. Do not share it."
    assert bodies["reminder"] == "Acme: {user_name}, see you on {day}. Reply STOP to opt out."


async def test_thousands_of_opt_outs_are_taken_over_in_a_few_statements(customer, operator, engines) -> None:
    """A provider's list is long; each line has its own answer, and what stands twice is news once."""
    numbers = [f"+1206555{each:04d}" for each in range(2_000)]
    await customer.api.put(f"/v1/opt-outs/{numbers[7]}")
    rows = "\n".join([*numbers, numbers[0], "nonsense"])
    files = {"provider": "Other", "opt_outs": f"number\n{rows}\n"}
    with counted(engines["operator"]) as asked:
        report = await posted(operator, f"{home(customer)}/apply", files)
    assert len(asked) < 100
    counts = Counter(outcome for _, outcome in outcomes(report, "opt_outs"))
    assert counts == {"new": 1_999, "known": 2, "faulty": 1}
    assert outcomes(report, "opt_outs")[7] == (9, "known")


async def test_a_file_of_there_undoes_nothing_of_here(customer, operator) -> None:
    """Whoever said no here stays out, whatever an old list of another system says."""
    person = us_number()
    await customer.api.put(f"/v1/opt-outs/{person}")
    consent = {"number": person, "use_case": "offers", "type": "promotional", "text": "Offers by text?"}
    await customer.api.post("/v1/consents", json=consent)
    await customer.api.delete(f"/v1/consents/{person}/offers")
    name = {"name": "code", "type": "otp", "body": "Acme: use {code} to sign in."}
    assert (await customer.api.post("/v1/templates", json=name)).status_code == 201
    files = {
        "provider": "Other",
        "opt_outs": f"number,opted_out\n{person},false\n",
        "consents": f"number,use_case,type\n{person},offers,promotional\n",
        "templates": TEMPLATES,
    }
    report = await posted(operator, f"{home(customer)}/apply", files)
    assert outcomes(report, "opt_outs") == [(2, "refused")]
    assert outcomes(report, "consents") == [(2, "refused")]
    assert outcomes(report, "templates")[0] == (2, "refused")
    assert (await customer.api.get(f"/v1/consents/{person}")).json()["consents"][0]["state"] == "withdrawn"
    assert person in [each["number"] for each in (await customer.api.get("/v1/opt-outs")).json()["data"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"provider": ""}, "/provider"),
        ({"provider": "a\nb"}, "/provider"),
        (
            {
                "provider": "x",
                "account": "acc_x",
                "numbers": "value,country,type,way\n55555,US,SHORT_CODE,adopt",
            },
            "/account",
        ),
        ({"provider": "x", "senders": ""}, "/senders"),
    ],
)
async def test_a_bad_body_names_its_field(customer, operator, body: dict, field: str) -> None:
    """Nothing half-done."""
    for act in ("plan", "apply"):
        answer = await operator.post(f"{home(customer)}/{act}", json=body)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_no_file_is_too_strange_and_no_tenant_a_strangers(customer, stranger, operator) -> None:
    """Columns that do not exist, no CSV at all, cells that cannot be; and 404 for whom there is not."""
    strange = ["a,b\n1,2\n", '"', "value\n", "\ufeffvalue,country,type,way\n+1,US,TOLL_FREE,leave\n"]
    for text in strange:
        files = {"provider": "x", "numbers": text, "templates": text, "volumes": text}
        report = await posted(operator, f"{home(customer)}/apply", files)
        assert {row["outcome"] for row in report["rows"]} <= {"faulty"}
    nobody = "/v1/admin/tenants/ten_01K3ZQ4V7N8R9T0W2Y4A6C8E0G/migration"
    assert (await operator.post(f"{nobody}/plan", json={"provider": "x"})).status_code == 404
    assert (await operator.get(nobody)).status_code == 404
    assert (await operator.patch(f"{home(customer)}/numbers/1", json={"state": "done"})).status_code == 404
    files = {"provider": "Mine", "volumes": "country,messages_per_month\nUS,1\n"}
    await posted(operator, f"{home(customer)}/apply", files)
    assert (await stranger.api.get("/v1/migration")).json()["provider"] == ""
    assert (await stranger.api.get("/v1/migration/recipients/12")).status_code == 422
