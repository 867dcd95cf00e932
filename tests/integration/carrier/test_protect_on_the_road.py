"""Protect rules on the whole road: named to AWS, said by its receipts, counted in four charts."""

from tests.harness.traffic import burst
from tests.harness.waiting import eventually

SUSPECT_FROM = 20
"""Sends into one block after which the emulated AWS suspects pumping."""
SENDS = 30


async def _configuration(customer, name: str, status: str) -> str:
    made = await customer.live.post("/v1/protect/configurations", json={"name": name})
    assert made.status_code == 201, made.text
    rules = {"channel": "sms", "rules": {"US": status}, "configuration": made.json()["id"]}
    changed = await customer.live.put("/v1/protect/country-rules", json=rules)
    assert changed.status_code == 200, changed.text
    return made.json()["id"]


async def _synced(stack, wanted: str) -> str:
    """Wait until AWS has the configuration as it stands; return AWS's id of it."""

    async def look() -> str | None:
        copies = (await stack.operate("get", "/v1/admin/protect-copies"))["data"]
        own = [each for each in copies if each["configuration"] == wanted and each["synced_version"] >= 2]
        return own[0]["aws_id"] if own else None

    return await eventually(look, within_s=60)


async def _sent(customer, configuration: str, numbers: list[str]) -> list[dict]:
    ids = []
    for number in numbers:
        answer = await customer.send(
            to=number, body="Your code", type="otp", protect_configuration=configuration
        )
        assert answer.status_code == 202, answer.text
        ids.append(answer.json()["id"])
    return [await customer.final(each) for each in ids]


async def test_receipts_feed_the_four_charts_of_each_configuration(stack) -> None:
    """FILTER blocks what AWS suspects, MONITOR says what it would have, BLOCK never leaves."""
    customer = await stack.customer()
    filtering = await _configuration(customer, "sign-up", "FILTER")
    watching = await _configuration(customer, "log-in", "MONITOR")
    closed = await _configuration(customer, "closed", "BLOCK")
    at_aws = {each: await _synced(stack, each) for each in (filtering, watching)}

    first, second = burst(12_065_551_000, SENDS), burst(12_065_552_000, SENDS)
    blocked = await _sent(customer, filtering, first)
    passed = await _sent(customer, watching, second)
    refused = await customer.send(to=first[0], body="Hello", protect_configuration=closed)
    assert refused.json()["code"] == "protect_blocked"

    suspected = SENDS - SUSPECT_FROM
    assert [each["status"] for each in blocked].count("undelivered") == suspected
    assert {each["status"] for each in passed} == {"delivered"}
    for numbers, configuration in ((first, filtering), (second, watching)):
        [carried] = await stack.carried(to=numbers[0])
        assert carried["protect_configuration"] == at_aws[configuration]

    async def counted() -> dict | None:
        report = (await customer.live.get("/v1/protect/report")).json()
        found = {each["configuration"]: each for each in report["configurations"]}
        return found if closed in found and found[watching]["recommended"]["count"] == suspected else None

    charts = await eventually(counted)
    assert charts[filtering]["blocked"] == {
        "count": suspected,
        "percent": round(100 * suspected / SENDS, 3),
        "by_country": {"US": suspected},
        "false_positives": 0,
    }
    assert charts[filtering]["recommended"]["by_country"] == {"US": suspected}
    assert (charts[watching]["blocked"]["count"], charts[watching]["blocked"]["by_country"]) == (0, {})
    assert charts[watching]["recommended"]["by_country"] == {"US": suspected}
    assert (charts[closed]["refused"], charts[closed]["blocked"]["count"]) == (1, 1)

    wrong = next(each for each in blocked if each["status"] == "undelivered")
    marked = await customer.live.post("/v1/protect/false-positives", json={"message_id": wrong["id"]})
    assert marked.status_code == 204, marked.text
    charts = await counted()
    assert charts[filtering]["blocked"]["false_positives"] == 1
