"""The request rate and the country rate of plans that refuse."""

import pytest

from gateway.admission.verdict import Admitted, Refused, Unprojected
from tests.integration.admission.conftest import RECIPIENT


@pytest.mark.parametrize(
    ("rate", "burst"), [(0.5, 1), (1.0, 1), (1.9, 1), (3.0, 3), (49.0, 49), (100.0, 100)]
)
async def test_a_second_worth_of_requests_passes_at_once_and_no_more(tenant, rate, burst):
    """The allowance is one second of the rate, at least one request, and the headers count it down."""
    await tenant.project(requests_per_second=rate)
    verdicts = [await tenant.ask() for _ in range(burst + 1)]
    assert [each.remaining for each in verdicts[:-1]] == list(range(burst - 1, -1, -1))
    refused = verdicts[-1]
    assert isinstance(refused, Refused)
    assert (refused.gate, refused.scope) == ("rate_limited", "requests")
    assert refused.retry_after_ms == pytest.approx(1000 / rate, abs=2)


async def test_a_refused_caller_that_waits_as_told_is_admitted(tenant):
    """Retry-After is the truth, to the millisecond."""
    await tenant.project(requests_per_second=3.0)
    while isinstance(verdict := await tenant.ask(), Admitted):
        pass
    tenant.now_us += (verdict.retry_after_ms - 1) * 1000
    assert isinstance(await tenant.ask(), Refused)
    tenant.now_us += 1000
    assert isinstance(await tenant.ask(), Admitted)


async def test_the_reset_is_when_the_whole_allowance_is_back(tenant):
    """What the RateLimit header promises."""
    await tenant.project(requests_per_second=10.0)
    await tenant.ask()
    second = await tenant.ask()
    assert second == Admitted(remaining=8, reset_ms=200)
    tenant.now_us += 200_000
    assert (await tenant.ask()).remaining == 9


@pytest.mark.parametrize(
    "asked",
    [
        {"country": "DE"},
        {"template": None},
        {"estimated_wait_ms": 10**6},
        {"use_cases": ("all",), "recipient_hash": RECIPIENT},
    ],
)
async def test_a_refusal_by_another_gate_costs_no_request(tenant, asked):
    """Nothing is charged unless everything passes."""
    await tenant.project({"all": [RECIPIENT]}, requests_per_second=5.0, country_refuse_mps={"US": 1.0})
    assert isinstance(await tenant.ask(**asked), Refused)
    assert (await tenant.ask(recipient_hash=b"somebody-else")).remaining == 4


async def test_a_plan_that_refuses_counts_parts_per_country(tenant):
    """Ten parts a second into the US: the eleventh is told when to come; Canada is not concerned."""
    await tenant.project(country_refuse_mps={"US": 10.0})
    for _ in range(2):
        assert isinstance(await tenant.ask(parts=5), Admitted)
    assert await tenant.ask() == Refused(gate="rate_limited", scope="country", retry_after_ms=100)
    assert isinstance(await tenant.ask(country="CA"), Admitted)


async def test_a_message_longer_than_the_country_rate_passes_and_is_paid_for_afterwards(tenant):
    """A limiter that never admits a four-part text at 3 parts/s would lose it for ever."""
    await tenant.project(country_refuse_mps={"US": 3.0})
    assert isinstance(await tenant.ask(parts=4), Admitted)
    refused = await tenant.ask()
    assert refused.retry_after_ms == pytest.approx(667, abs=2)


async def test_a_refusal_by_the_country_rate_costs_no_request(tenant):
    """Both rates are charged, or neither."""
    await tenant.project(requests_per_second=100.0, country_refuse_mps={"US": 1.0})
    assert (await tenant.ask()).remaining == 99
    assert isinstance(await tenant.ask(), Refused)
    assert (await tenant.ask(country="CA")).remaining == 98


@pytest.mark.parametrize("limit", [{"requests_per_second": 1e-320}, {"country_refuse_mps": {"US": 1e-320}}])
async def test_a_stored_rate_next_to_nothing_refuses_and_breaks_nothing(tenant, limit):
    """One from before there were bounds: the script's sums must stay numbers."""
    await tenant.project(**limit)
    assert isinstance(await tenant.ask(), Admitted)
    refused = await tenant.ask()
    assert isinstance(refused, Refused)
    assert refused.gate == "rate_limited"


async def test_a_clock_set_back_does_not_lock_a_tenant_out(tenant):
    """A TAT an hour ahead is cut, once, to the longest message and a second."""
    await tenant.project(requests_per_second=1.0)
    await tenant.ask()
    tenant.now_us -= 3_600_000_000
    refused = await tenant.ask()
    assert refused.retry_after_ms <= 33_000
    tenant.now_us += refused.retry_after_ms * 1000
    assert isinstance(await tenant.ask(), Admitted)


@pytest.mark.parametrize("rate", [0.5, 3.0, 49.0, 100.0])
async def test_a_look_at_the_rates_foretells_the_verdict_and_charges_nothing(tenant, rate):
    """An explanation may be asked for as often as one likes, and must not differ from what a send meets."""
    await tenant.project(requests_per_second=rate, country_refuse_mps={"US": rate})
    looked = await tenant.gate.peek(tenant.policy.tenant_id, "US")
    assert (looked.requests_ms, looked.country_ms) == (0, 0)
    while isinstance(verdict := await tenant.ask(), Admitted):
        pass
    looked = [await tenant.gate.peek(tenant.policy.tenant_id, "US") for _ in range(3)]
    assert {each.requests_ms for each in looked} == {verdict.retry_after_ms}
    assert {each.country_ms for each in looked} == {verdict.retry_after_ms}
    tenant.now_us += verdict.retry_after_ms * 1000
    assert (await tenant.gate.peek(tenant.policy.tenant_id, "US")).requests_ms == 0
    assert isinstance(await tenant.ask(), Admitted)


async def test_a_look_tells_what_the_verdict_told(tenant):
    """A refusal that asked no rate shows the same headers as the send before it."""
    await tenant.project(requests_per_second=10.0)
    for _ in range(3):
        verdict = await tenant.ask()
    looked = await tenant.gate.peek(tenant.policy.tenant_id, "")
    assert (looked.remaining, looked.reset_ms) == (verdict.remaining, verdict.reset_ms) == (7, 300)
    tenant.now_us += 10_000_000
    looked = await tenant.gate.peek(tenant.policy.tenant_id, "")
    assert (looked.remaining, looked.reset_ms) == (10, 0)


async def test_a_look_at_a_tenant_that_redis_does_not_know_says_so(tenant):
    """Not knowing is not an open gate."""
    assert await tenant.gate.peek(tenant.policy.tenant_id, "US") is None
    await tenant.project()
    looked = await tenant.gate.peek(tenant.policy.tenant_id, "US")
    assert (looked.requests_ms, looked.country_ms) == (None, None)


async def test_a_capped_country_takes_so_many_live_messages_a_utc_day(tenant):
    """A rollout begins small; test messages count nothing, and midnight opens it."""
    await tenant.project(country_daily_caps={"US": 2})
    for _ in range(3):
        assert isinstance(await tenant.ask(live=False), Admitted)
    assert [type(await tenant.ask()) for _ in range(3)] == [Admitted, Admitted, Refused]
    refused = await tenant.ask()
    day_us = 86_400_000_000
    left_us = day_us - tenant.now_us % day_us
    assert refused == Refused(gate="daily_cap_reached", retry_after_ms=left_us // 1000)
    assert isinstance(await tenant.ask(country="CA"), Admitted)
    tenant.now_us += left_us - 1000
    assert isinstance(await tenant.ask(), Refused)
    tenant.now_us += 1000
    assert isinstance(await tenant.ask(), Admitted)


async def test_a_raised_or_removed_cap_holds_from_the_next_send(tenant):
    """What was sent today still counts under the new cap."""
    await tenant.project(country_daily_caps={"US": 1})
    await tenant.ask()
    assert isinstance(await tenant.ask(), Refused)
    await tenant.project(country_daily_caps={"US": 2})
    assert [type(await tenant.ask()) for _ in range(2)] == [Admitted, Refused]
    await tenant.project(country_daily_caps={})
    assert isinstance(await tenant.ask(), Admitted)


async def test_a_refusal_does_not_count_towards_the_day(tenant):
    """A queue that was full must not use the rollout up."""
    await tenant.project(country_daily_caps={"US": 1})
    assert isinstance(await tenant.ask(estimated_wait_ms=10**6), Refused)
    assert isinstance(await tenant.ask(), Admitted)


async def test_a_look_at_a_capped_country_counts_what_was_admitted_today(tenant):
    """And when the day ends; looking itself counts nothing."""
    await tenant.project(country_daily_caps={"US": 1})
    assert (await tenant.gate.peek(tenant.policy.tenant_id, "US")).today == 0
    assert isinstance(await tenant.ask(), Admitted)
    looked = [await tenant.gate.peek(tenant.policy.tenant_id, "US") for _ in range(2)]
    refused = await tenant.ask()
    assert {(each.today, each.day_ends_ms) for each in looked} == {(1, refused.retry_after_ms)}


@pytest.mark.parametrize("limit", [{"requests_per_second": 0.2}, {"country_refuse_mps": {"US": 0.2}}])
@pytest.mark.parametrize("first", [True, False])
async def test_live_and_test_keys_do_not_use_each_others_rates_up(tenant, limit, first):
    """What a developer tries out never refuses a customer's message, nor the other way round."""
    await tenant.project(**limit)
    assert isinstance(await tenant.ask(live=first), Admitted)
    assert isinstance(await tenant.ask(live=first), Refused)
    assert isinstance(await tenant.ask(live=not first), Admitted)
    assert isinstance(await tenant.ask(live=not first), Refused)


async def test_a_look_at_the_rates_is_at_those_of_the_keys_mode(tenant):
    """The headers and the explanation of a test key say nothing of live traffic."""
    await tenant.project(requests_per_second=10.0, country_refuse_mps={"US": 1.0})
    await tenant.ask(live=False)
    test = await tenant.gate.peek(tenant.policy.tenant_id, "US", live=False)
    live = await tenant.gate.peek(tenant.policy.tenant_id, "US", live=True)
    assert (test.remaining, test.country_ms) == (9, 1000)
    assert (live.remaining, live.country_ms) == (10, 0)


async def test_a_scheduled_message_is_not_judged_by_the_countrys_rate_of_now(tenant):
    """It leaves tomorrow, from the queue; the request itself counts as any other."""
    await tenant.project(requests_per_second=10.0, country_refuse_mps={"US": 0.1})
    scheduled = [await tenant.ask(scheduled=True) for _ in range(3)]
    assert [each.remaining for each in scheduled] == [9, 8, 7]
    assert isinstance(await tenant.ask(), Admitted)
    assert isinstance(await tenant.ask(), Refused)
    assert isinstance(await tenant.ask(scheduled=True), Admitted)


async def test_a_request_with_many_messages_counts_once(tenant):
    """Its messages do not count it again; a single send meets the same rate."""
    await tenant.project(requests_per_second=2.0)
    assert await tenant.count() == Admitted(remaining=1, reset_ms=500)
    assert {(await tenant.ask(counted=True)).remaining for _ in range(5)} == {None}
    assert (await tenant.ask()).remaining == 0
    assert await tenant.count() == Refused(gate="rate_limited", scope="requests", retry_after_ms=500)
    assert isinstance(await tenant.ask(counted=True), Admitted)
    assert (await tenant.count(live=False)).remaining == 1
    tenant.now_us += 500_000
    assert isinstance(await tenant.count(), Admitted)


async def test_a_request_of_a_tenant_without_a_rate_or_unknown_to_redis_counts_nothing(tenant):
    """Each of its messages asks again and finds out which it is."""
    assert await tenant.count() == Unprojected()
    await tenant.project()
    assert await tenant.count() == Admitted(remaining=None, reset_ms=0)


async def test_a_verdict_and_a_look_tell_what_is_left_of_the_countrys_rate(tenant):
    """Counted in parts, as the headers show it beside the requests."""
    await tenant.project(requests_per_second=10.0, country_refuse_mps={"US": 10.0})
    verdict = await tenant.ask(parts=3)
    assert verdict == Admitted(remaining=9, reset_ms=100, parts_left=7, parts_reset_ms=300)
    looked = await tenant.gate.peek(tenant.policy.tenant_id, "US")
    assert (looked.parts_left, looked.parts_reset_ms) == (7, 300)
    assert (await tenant.ask(country="CA")).parts_left is None
    assert (await tenant.gate.peek(tenant.policy.tenant_id, "CA")).parts_left is None
