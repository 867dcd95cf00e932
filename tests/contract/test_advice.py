"""`/v1/senders/advice` and its plan sheet over the API."""

import csv
import io
from uuid import uuid4

import pytest

BOOK = """item,country,sender_type,channel,sell_usd,cost_usd,credits
part,*,*,sms,0.01,0.008,1
lease,US,TOLL_FREE,sms,2,2,200
lease,US,TEN_DLC,sms,1,1,100
registration,US,TEN_DLC,sms,44,40,4000
"""


async def test_advice_names_senders_with_cost_time_and_reason(operator, enrol) -> None:
    """Everything a person needs to choose, by the tenant's own prices."""
    name = uuid4().hex[:12]
    loaded = await operator.post(f"/v1/admin/price-books/{name}/import", json={"csv": BOOK})
    assert loaded.status_code == 200, loaded.text
    customer = await enrol(plan={"price_book": name})
    wish = {"countries": ["US", "GB"], "parts_per_second": 2, "type": "otp", "messages_per_month": 1_000}
    answer = await customer.api.post("/v1/senders/advice", json=wish)
    assert answer.status_code == 200, answer.text
    first, second = answer.json()["data"]
    assert (first["country"], first["recommended"], second["country"]) == ("GB", "SENDER_ID", "US")
    assert first["live_from"] is not None
    assert {"SENDER_ID", "LONG_CODE", "SHARED"} == set(second["not_available"])
    costs = {each["type"]: each["cost"] for each in second["senders"]}
    assert costs["TOLL_FREE"] == {
        "unit": "usd",
        "one_time": "0.00",
        "monthly": "2.00",
        "per_part": "0.01",
        "first_year": "144.00",
    }
    assert (costs["TEN_DLC"]["one_time"], costs["TEN_DLC"]["monthly"]) == ("40.00", "2.00")


async def test_the_plan_sheet_is_a_table(customer) -> None:
    """A row per country, in the order in which they can go live."""
    answer = await customer.api.post("/v1/senders/plan-sheet", json={"countries": ["VN", "GB"]})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert [row["country"] for row in csv.DictReader(io.StringIO(answer.text))] == ["GB", "VN"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"countries": ["US", "ZZ"]}, "/countries/1"),
        ({"countries": ["KP"]}, "/countries/0"),
        ({"countries": []}, "/countries"),
        ({"countries": ["US"], "parts_per_second": 0}, "/parts_per_second"),
        ({"countries": ["US"], "use_case": "gambling"}, "/use_case"),
    ],
)
async def test_a_bad_wish_names_its_field(customer, body: dict, field: str) -> None:
    """And orders nothing."""
    answer = await customer.api.post("/v1/senders/advice", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text
