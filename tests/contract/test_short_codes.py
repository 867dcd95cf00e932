"""Short codes on a running gateway: the pack, the stages, who is told, and whose they are."""

from datetime import timedelta

from gateway.clock import SystemClock
from gateway.registrations.short_codes import ShortCodeWatch
from tests.integration.carrier.registration_values import BRAND, CAMPAIGN


async def begun(stack, customer, **more):
    """Enter a short code; return its path under the operator's API."""
    body = {"country": "US", "name": "Codes", "support_case": "case-1"} | more
    home = f"/v1/admin/tenants/{customer.id}/short-codes"
    return f"{home}/{(await stack.operate('post', home, body))['id']}"


async def test_a_pack_is_filled_from_what_is_known_and_exported_when_nothing_is_blank(stack):
    """F-SC-APP: a blank field blocks the export; what was registered before is not asked again."""
    customer = await stack.customer(provision=False)
    for kind, values in (("BRAND", BRAND),):
        body = {"type": f"US_TEN_DLC_{kind}_REGISTRATION", "name": kind, "values": values}
        assert (await customer.test.post("/v1/registrations", json=body)).status_code == 201
    home = await begun(stack, customer)
    pack = await stack.operate("get", f"{home}/pack")
    known = {each["key"]: each["value"] for each in pack["fields"]}
    assert (known["company_name"], known["tax_id"]) == ("Example Corp", "12-3456789")
    refused = await stack.operator.get(f"{home}/pack.html")
    assert refused.status_code == 422
    assert {each["field"] for each in refused.json()["errors"]} == {
        f"/answers/{key}" for key in pack["blank"]
    }
    answers = dict.fromkeys(pack["blank"], "<b>as agreed</b>") | {
        "help": CAMPAIGN["campaignInfo.helpMessage"]
    }
    filled = await stack.operate("put", f"{home}/answers", {"answers": answers})
    assert (filled["complete"], filled["blank"]) == (True, [])
    page = await stack.operator.get(f"{home}/pack.html")
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert "Example Corp" in page.text
    assert "<b>" not in page.text, "answers are text"
    wrong = await stack.operator.put(f"{home}/answers", json={"answers": {"nobody": "x"}})
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "no_such_field")


async def test_twelve_stages_are_tracked_told_and_alarmed(stack, sink):
    """F-SC-TRACK: age, owner and next action; the tenant by webhook, the operator by inbox."""
    customer = await stack.customer(provision=False)
    hook = {"url": f"{sink.url}/sc", "events": ["short_code.stage_changed"]}
    assert (await customer.live.post("/v1/webhook-endpoints", json=hook)).status_code == 201
    home = await begun(stack, customer)
    moved = await stack.operate("post", f"{home}/stage", {"stage": "form_received", "note": "by mail"})
    assert (moved["step"], moved["owner"], moved["overdue"]) == (2, "operator", False)
    assert await tasks(stack, customer) == {"short_code.to_do"}
    confirmed = {"stage": "number_confirmed", "code": "55555", "billing_started_at": "2026-11-01T00:00:00Z"}
    moved = await stack.operate("post", f"{home}/stage", confirmed)
    assert (moved["code"], moved["owner"]) == ("55555", "carriers")
    assert await tasks(stack, customer) == set()

    class Later(SystemClock):
        def now(self):
            return super().now() + timedelta(days=60)

    for _ in range(2):
        await ShortCodeWatch(stack.shared.worker_engine, Later()).look()
    assert await tasks(stack, customer) == {"short_code.stale"}
    (shown,) = (await customer.live.get("/v1/short-codes")).json()["data"]
    assert [each["stage"] for each in shown["history"]] == ["requested", "form_received", "number_confirmed"]
    await stack.operate("post", f"{home}/stage", {"stage": "active"})
    again = await stack.operator.post(f"{home}/stage", json={"stage": "vetting"})
    assert again.status_code == 409
    assert await tasks(stack, customer) == set()
    await sink.wait_for("/sc", 4, within_s=60)


async def test_bad_stages_and_foreign_tenants_are_refused(stack):
    """422 with the field, 404 for what is another's."""
    customer, stranger = [await stack.customer(provision=False) for _ in range(2)]
    home = await begun(stack, customer)
    for body in ({"stage": "nowhere"}, {"stage": "vetting", "code": "5"}, {"stage": "vetting", "surplus": 1}):
        assert (await stack.operator.post(f"{home}/stage", json=body)).status_code == 422
    naive = {"stage": "vetting", "billing_started_at": "2026-11-01T00:00:00"}
    assert (await stack.operator.post(f"{home}/stage", json=naive)).status_code == 422
    foreign = f"/v1/short-codes/{home.rpartition('/')[2]}"
    assert (await stranger.live.get(foreign)).status_code == 404
    assert (await customer.live.get(foreign)).status_code == 200
    assert (await stack.operator.get(home.replace(customer.id, stranger.id))).status_code == 404


async def tasks(stack, customer):
    """Kinds of the operator's open tasks about a tenant."""
    rows = await stack.database.fetch(
        "SELECT kind FROM inbox_items WHERE tenant_id = $1 AND resolved_at IS NULL AND kind ~ '^short_code'",
        customer.uuid,
    )
    return {row["kind"] for row in rows}
