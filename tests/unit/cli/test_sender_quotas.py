"""`tollgate senders gates|quota|request-increase|increases|decide-increase`: what they ask and show."""

import json

import pytest

from tests.unit.cli.test_calling import Api, api, run

__all__ = ["api"]

GATES = {
    "id": "idn_1",
    "country": "US",
    "parts_per_second": 30.0,
    "countries": {},
    "shared": [{"parts_per_second": 40.0}],
    "daily": [{"parts_per_day": 40000}],
    "plan_parts_per_second": None,
    "ceiling_parts_per_second": 30.0,
    "campaign": None,
}
INCREASE = {
    "id": "inc_1",
    "sender_id": "idn_1",
    "country": None,
    "requested_parts_per_second": 20.0,
    "granted_parts_per_second": None,
    "state": "requested",
    "case_id": "4711",
    "note": None,
    "created_at": "2026-01-01T00:00:00Z",
    "decided_at": None,
}
SENDER = ("ten_1", "idn_1")
PATH = "/v1/admin/tenants/ten_1"


def test_gates_are_read_with_the_tenant_s_key(api: Api) -> None:
    """Campaign, day and plan beside the sender's own rate."""
    api.answers = [(200, GATES)]
    done = run(api, "senders", "gates", "idn_1")
    assert done.exit_code == 0, done.output
    assert api.asked == [("GET", "/v1/senders/idn_1/gates", None)]
    for shown in ("30.0", "40.0", "40000"):
        assert shown in done.output


@pytest.mark.parametrize(
    ("options", "change"),
    [
        (("--mps", "30"), {"parts_per_second": 30.0}),
        (("--per-day", "5000"), {"parts_per_day": 5000}),
        (("--country", "gb=20", "--country", "DE=5.5"), {"countries": {"GB": 20.0, "DE": 5.5}}),
        (
            ("--campaign", "C1", "--brand", "B1", "--use-case", "marketing", "--vetting-score", "60"),
            {
                "campaign": {
                    "campaign_id": "C1",
                    "brand_id": "B1",
                    "use_case": "MARKETING",
                    "vetting_score": 60,
                }
            },
        ),
        ((), {}),
    ],
)
def test_a_quota_changes_what_is_given_and_nothing_else(api: Api, options, change) -> None:
    """An absent option must not reset what another call has set."""
    api.answers = [(200, GATES)]
    done = run(api, "senders", "quota", *SENDER, *options)
    assert done.exit_code == 0, done.output
    assert api.asked == [("PATCH", f"{PATH}/senders/idn_1", change)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--country", "GB"), "--country is CC=MPS"),
        (("--country", "GB=fast"), "--country is CC=MPS"),
        (("--country", "GB=1e300"), "0.0001 to 100,000 per second"),
        (("--mps", "nan"), "0.0001 to 100,000 per second"),
        (("--campaign", "C1"), "--campaign needs --brand and --use-case"),
        (("--vetting-score", "101"), "--vetting-score"),
    ],
)
def test_a_quota_that_makes_no_sense_is_refused_before_anything_is_asked(api: Api, options, said) -> None:
    """Exit 2 as for any misuse, and the way out."""
    done = run(api, "senders", "quota", *SENDER, *options)
    assert (done.exit_code, api.asked) == (2, [])
    assert said in done.output


def test_an_increase_is_noted_with_its_case(api: Api) -> None:
    """The case at AWS is how a person finds it again."""
    api.answers = [(201, INCREASE)]
    done = run(api, "senders", "request-increase", *SENDER, "20", "--case", "4711", "--country", "GB")
    assert done.exit_code == 0, done.output
    wanted = {"parts_per_second": 20.0, "country": "GB", "case_id": "4711"}
    assert api.asked == [("POST", f"{PATH}/senders/idn_1/mps-increases", wanted)]
    assert "inc_1" in done.output


def test_increases_are_listed_and_an_empty_list_says_so(api: Api) -> None:
    """With what was granted beside what was asked for."""
    granted = INCREASE | {"state": "approved", "granted_parts_per_second": 15.0}
    api.answers = [(200, {"data": [granted], "next_cursor": None}), (200, {"data": [], "next_cursor": None})]
    done = run(api, "senders", "increases", "ten_1")
    assert "15.0" in done.output
    assert "approved" in done.output
    assert "No increase was asked for." in run(api, "senders", "increases", "ten_1").output
    assert [path for _, path, _ in api.asked] == [f"{PATH}/mps-increases?limit=100"] * 2


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (("approve",), "approve", {"parts_per_second": None}),
        (("approve", "--mps", "15"), "approve", {"parts_per_second": 15.0}),
        (("deny",), "deny", None),
    ],
)
def test_aws_s_answer_is_written_down(api: Api, words, path, body) -> None:
    """An approval may be for less than was asked."""
    api.answers = [(200, INCREASE)]
    done = run(api, "senders", "decide-increase", "ten_1", "inc_1", *words)
    assert done.exit_code == 0, done.output
    assert api.asked == [("POST", f"{PATH}/mps-increases/inc_1/{path}", body)]


def test_a_refusal_of_the_api_ends_the_command_with_its_sentence(api: Api) -> None:
    """Such as a sender that is another tenant's."""
    api.answers = [(404, {"title": "No", "code": "not_found", "detail": "There is no such sender."})]
    done = run(api, "senders", "quota", *SENDER, "--mps", "1")
    assert done.exit_code == 1
    assert "There is no such sender." in str(done.exception)


def test_the_lanes_are_asked_for_the_longest_first(api: Api) -> None:
    """As many as a screen holds."""
    lane = {
        "route": "acc_1",
        "sender": "idn_1",
        "country": "US",
        "priority": "otp",
        "backlog_parts": 7,
        "drain_seconds": 2.5,
        "oldest_seconds": None,
    }
    api.answers = [(200, {"data": [lane], "next_cursor": None}), (200, {"data": [], "next_cursor": None})]
    assert "2.5" in run(api, "routes", "lanes", "--limit", "5").output
    assert "Nothing waits." in run(api, "routes", "lanes").output
    assert [path for _, path, _ in api.asked] == ["/v1/admin/lanes?limit=5", "/v1/admin/lanes?limit=50"]


def test_json_is_the_answer_as_it_came(api: Api) -> None:
    """For programs."""
    api.answers = [(200, GATES)]
    done = run(api, "senders", "gates", "idn_1", "--json")
    assert json.loads(done.output) == GATES


@pytest.mark.parametrize("option", [("--brand", "B1"), ("--use-case", "MARKETING"), ("--vetting-score", "0")])
def test_what_is_said_of_a_campaign_that_is_not_named_is_refused(api: Api, option: tuple[str, str]) -> None:
    """It was left out, and the quota that was set printed as if it had counted."""
    done = run(api, "senders", "quota", *SENDER, *option)
    assert (done.exit_code, api.asked) == (2, [])
    assert "--campaign" in done.stderr
