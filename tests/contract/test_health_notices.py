"""AWS Health's notices: what they do to a route, and what they leave alone."""

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest

from tenants.ids import decode, encode, new_uuid

EVENT = "arn:aws:health:us-east-1::event/SMSVOICE/AWS_SMSVOICE_OPERATIONAL_ISSUE/1"
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "aws-health.md"
WELL = ("healthy", "")


@pytest.fixture
async def route(operator):
    """An account of its own."""
    answer = await operator.put(f"/v1/admin/aws-accounts/{uuid4().hex}", json={"region": "us-east-1"})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


@pytest.fixture
def say(operator, route):
    """Return a function that passes a notice on and returns the route's state and reason."""

    async def post(status, *, event=EVENT, **more):
        body = {"event": event, "status": status, "reason": "AWS_SMSVOICE_OPERATIONAL_ISSUE"} | more
        answer = await operator.post(f"/v1/admin/routes/{route}/health-notice", json=body)
        assert answer.status_code == 200, answer.text
        health = answer.json()["health"]
        return health["state"], health["reason"]

    return post


async def shown(operator, route):
    """The route as the operator's page has it."""
    rows = (await operator.get("/v1/admin/routes/health")).json()["routes"]
    return next(row for row in rows if row["account"] == route)


def reason(event=EVENT):
    """What the route says of itself."""
    return f"AWS Health: AWS_SMSVOICE_OPERATIONAL_ISSUE ({event})"


@pytest.mark.parametrize(("effect", "state"), [("degrade", "unhealthy"), ("disable", "disabled")])
async def test_an_event_takes_a_route_out_and_its_end_brings_it_back(operator, route, say, effect, state):
    """The reason is shown as long as it holds, and an update of the event changes nothing."""
    assert await say("open", effect=effect) == (state, reason())
    assert await say("open", effect=effect) == (state, reason())
    [notice] = (await shown(operator, route))["notices"]
    assert (notice["event"], notice["status"], notice["effect"]) == (EVENT, "open", effect)
    assert await say("closed") == WELL
    assert (await shown(operator, route))["notices"] == []


async def test_a_notice_degrades_unless_it_says_more(say):
    """One route alone goes on with it: a text that is tried may arrive."""
    assert (await say("open"))[0] == "unhealthy"


async def test_what_is_only_announced_is_shown_and_changes_nothing(operator, route, say):
    """Maintenance next week."""
    assert await say("upcoming", effect="disable") == WELL
    assert [each["status"] for each in (await shown(operator, route))["notices"]] == ["upcoming"]
    assert await say("open", effect="disable") == ("disabled", reason())


async def test_the_newest_word_counts_in_whatever_order_it_comes(say):
    """EventBridge promises no order: an event that is over must not open again."""
    assert await say("closed", at="2026-01-02T00:00:00Z") == WELL
    assert await say("open", at="2026-01-01T00:00:00Z") == WELL
    assert (await say("open", at="2026-01-03T00:00:00Z"))[0] == "unhealthy"


async def test_a_route_stays_out_until_its_last_event_is_over(say):
    """The stronger of two decides."""
    assert (await say("open", event="one", effect="disable")) == ("disabled", reason("one"))
    assert (await say("open", event="two")) == ("disabled", reason("one"))
    assert (await say("closed", event="one")) == ("unhealthy", reason("two"))
    assert (await say("closed", event="two")) == WELL


async def test_what_the_operator_disabled_no_event_opens(operator, route, say):
    """Neither its beginning nor its end."""
    await operator.post(f"/v1/admin/routes/{route}/disable", json={"reason": "billing"})
    assert await say("open", effect="disable") == ("disabled", "billing")
    assert await say("closed") == ("disabled", "billing")


async def test_an_operator_who_knows_better_is_not_overruled_by_an_update(operator, route, say):
    """Enabled by hand in the middle of an event; the same word again says nothing new."""
    await say("open", effect="disable")
    await operator.post(f"/v1/admin/routes/{route}/enable", json={"reason": "works for us"})
    assert await say("open", effect="disable") == WELL
    assert await say("closed") == WELL


async def enable(operator, route):
    """The operator puts the route back by hand."""
    answer = await operator.post(f"/v1/admin/routes/{route}/enable", json={"reason": "works for us"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("status", ["upcoming", "closed"])
@pytest.mark.parametrize("effect", ["degrade", "disable"])
async def test_what_the_operator_enabled_no_word_about_another_event_takes_out(
    operator, route, say, status, effect
):
    """The first event is still open, but somebody has decided on it."""
    await say("open", effect=effect)
    await enable(operator, route)
    assert await say(status, event="other", effect="disable") == WELL
    [first, *_] = (await shown(operator, route))["notices"]
    assert (first["event"], first["overruled"]) == (EVENT, True)


async def test_the_end_of_a_later_event_does_not_bring_an_overruled_one_back(operator, route, say):
    """The later one takes the route out, since nobody has decided on that one."""
    await say("open", effect="disable")
    await enable(operator, route)
    assert await say("open", event="later") == ("unhealthy", reason("later"))
    assert await say("closed", event="later") == WELL


async def test_an_overruled_event_counts_again_when_it_asks_for_more_or_begins_anew(operator, route, say):
    """That is news, and nobody has decided on it."""
    await say("open", effect="degrade")
    await enable(operator, route)
    assert await say("open", effect="degrade", reason="still there") == WELL
    assert (await say("open", effect="disable"))[0] == "disabled"
    await enable(operator, route)
    assert await say("closed", effect="disable") == WELL
    assert (await say("open", effect="disable"))[0] == "disabled"


async def test_a_route_that_its_probes_found_well_is_left_alone_by_word_of_another_event(
    route, say, database
):
    """The event may last for days while its calls are well again."""
    await say("open")
    subject = decode("acc", route)
    await database.execute(
        "UPDATE health_states SET state = 'healthy', reason = '' WHERE subject_id = $1", subject
    )
    assert await say("upcoming", event="other") == WELL


async def test_a_word_that_changes_nothing_does_not_begin_the_rest_anew(route, say, database):
    """Else a talkative AWS Health would keep a route from its probes."""
    await say("open")
    subject = decode("acc", route)
    await database.execute("UPDATE health_states SET state = 'probing' WHERE subject_id = $1", subject)
    assert await say("upcoming", event="other") == ("probing", reason())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "ended"}, "/status"),
        ({"effect": "explode"}, "/effect"),
        ({"event": ""}, "/event"),
        ({"at": "2026-01-01T00:00:00"}, "/at"),
        ({"at": "9999-12-31T23:59:59Z"}, "/at"),
        ({"at": "0001-01-01T00:00:00+23:59"}, "/at"),
    ],
)
async def test_a_notice_that_makes_no_sense_is_refused_with_its_field(operator, route, change, field):
    """A time from the future would close the door to every later word."""
    body = {"event": EVENT, "status": "open", "reason": "x"} | change
    answer = await operator.post(f"/v1/admin/routes/{route}/health-notice", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), answer.text


async def test_a_route_that_is_not_there_cannot_be_ill(operator, customer):
    """And a tenant says nothing of routes."""
    body = {"event": EVENT, "status": "open", "reason": "x"}
    path = f"/v1/admin/routes/{encode('acc', new_uuid())}/health-notice"
    assert (await operator.post(path, json=body)).status_code == 404
    assert (await customer.api.post(path, json=body)).status_code == 401


async def test_a_disabled_route_s_messages_are_moved(operator, customer, route, say, database):
    """As when an operator disables it, and the order ends with the event."""
    body = {
        "account": route,
        "type": "LONG_CODE",
        "value": f"+1206555{uuid4().int % 10_000:04d}",
        "country": "US",
        "arn": f"arn:aws:sms-voice:us-east-1:1:phone-number/phone-{uuid4().hex}",
    }
    made = await operator.post(f"/v1/admin/tenants/{customer.id}/senders", json=body)
    sender = decode("idn", made.json()["id"])
    ordered = "SELECT count(*) FROM relane_orders WHERE sender_id = $1"
    await say("open", effect="disable")
    assert await database.fetchval(ordered, sender) == 1
    await say("closed")
    assert await database.fetchval(ordered, sender) == 0


async def test_the_how_to_s_transformer_makes_a_notice_of_aws_s_event(operator, route):
    """What the page tells EventBridge to send is what the endpoint takes."""
    paths, template, event = (
        json.loads(each) for each in re.findall(r"```json\n(.*?)```", HOW_TO.read_text(), re.DOTALL)
    )

    def value(path):
        found = event
        for name in path.removeprefix("$.").split("."):
            found = found[name]
        return found

    body = {
        name: re.sub(r"<(\w+)>", lambda match: value(paths[match[1]]), text)
        for name, text in template.items()
    }
    answer = await operator.post(f"/v1/admin/routes/{route}/health-notice", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["health"]["state"] == "unhealthy"
