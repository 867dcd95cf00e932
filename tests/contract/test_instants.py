"""One rule for the instants and days that people name: whatever the calendar holds, the field is named."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

_ENDS = (
    "0001-01-01T00:00:00Z",
    "0001-01-02T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
)
_NAMES = {"from", "to", "since", "until", "created_after", "created_before"}
_DOCUMENT: dict[str, Any] = msgspec.json.decode(Path("docs/reference/openapi.json").read_bytes())


def _queries() -> list[tuple[str, str, tuple[str, ...]]]:
    """Path, instant and all required others, of every GET that takes an instant or a day."""
    found: list[tuple[str, str, tuple[str, ...]]] = []
    for path, item in _DOCUMENT["paths"].items():
        parameters = item.get("get", {}).get("parameters", [])
        if "{" in path.replace("{tenant_id}", ""):
            continue
        names = [each["name"] for each in parameters if each["in"] == "query"]
        found.extend((path, name) for name in names if name in _NAMES)
    return found


@pytest.mark.parametrize(("path", "name"), _queries(), ids="-".join)
async def test_no_end_of_the_calendar_is_a_fault(customer, operator, path, name) -> None:
    """Generated clients send them; a refusal says of which parameter."""
    api = operator if path.startswith("/v1/admin") else customer.api
    for end in (*_ENDS, *(each[:10] for each in _ENDS)):
        answer = await api.get(path.format(tenant_id=customer.id), params={name: end})
        assert answer.status_code in {200, 422}, (end, answer.text)
        if answer.status_code == 422:
            assert answer.json().get("errors"), (end, answer.text)


_BEYOND = "9999-12-31T23:59:59-14:00"


async def test_an_expiry_beyond_the_calendar_names_its_field(customer, operator) -> None:
    """Of a key, by the operator and by the tenant, and of an override."""
    body = {"mode": "test", "expires_at": _BEYOND}
    refused = [
        await operator.post(f"/v1/admin/tenants/{customer.id}/api-keys", json=body),
        await customer.api.post("/v1/api-keys", json=body),
        await customer.api.put(
            "/v1/protect/overrides/+12065550111", json={"action": "ALWAYS_ALLOW", "expires_at": _BEYOND}
        ),
    ]
    for answer in refused:
        assert answer.status_code == 422, answer.text
        assert [each["field"] for each in answer.json()["errors"]] == ["/expires_at"], answer.text


async def test_the_last_instant_of_the_calendar_is_an_expiry(customer) -> None:
    """Many write it for never."""
    body = {"mode": "test", "expires_at": "9999-12-31T23:59:59Z"}
    answer = await customer.api.post("/v1/api-keys", json=body)
    assert answer.status_code == 201, answer.text


async def test_a_consent_given_before_the_calendar_names_its_field(customer) -> None:
    """In the body and in a file alike."""
    at = "0001-01-01T00:00:00+14:00"
    body = {
        "number": "+12065550111",
        "use_case": "news",
        "type": "promotional",
        "text": "Yes",
        "given_at": at,
    }
    answer = await customer.api.post("/v1/consents", json=body)
    assert [each["field"] for each in answer.json()["errors"]] == ["/given_at"], answer.text


async def test_a_price_line_that_begins_before_the_calendar_names_its_cell(operator) -> None:
    """A book is refused as a whole, with the cell."""
    csv = (
        "country,channel,sell_usd,cost_usd,credits,valid_from\n*,sms,0.01,0.005,1,0001-01-01T00:00:00+14:00\n"
    )
    answer = await operator.post("/v1/admin/price-books/early/import", json={"csv": csv})
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == ["/csv/line/2/valid_from"]


async def test_a_path_with_a_nul_character_names_nothing(customer, operator) -> None:
    """Whatever the route, no column holds such a name."""
    for api, path in (
        (customer.api, "/v1/registration-forms/%00"),
        (customer.api, "/v1/templates/%00"),
        (operator, "/v1/admin/price-books/a%00b"),
    ):
        answer = await api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), answer.text
