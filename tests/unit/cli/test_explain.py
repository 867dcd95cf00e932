"""`tollgate messages explain`: what it asks, and how it shows the gates and the senders."""

import json

from tests.unit.cli.test_calling import Api, api, run

__all__ = ["api"]

GATES = [
    {
        "gate": "country",
        "verdict": "closed",
        "input": "JP",
        "detail": "JP is not on the tenant's list",
        "code": "country_not_allowed",
        "opens_at": None,
    }
]
CANDIDATES = [
    {
        "sender": "idn_1",
        "type": "TOLL_FREE",
        "value": "+18885550100",
        "country": "US",
        "account": "acc_1",
        "region": "us-east-1",
        "taken": False,
        "reason": "other_country",
        "detail": "it serves US",
        "group": 0,
    }
]
EXPLANATION = {
    "type": "otp",
    "accepted": False,
    "refused_with": "country_not_allowed",
    "gates": GATES,
    "candidates": CANDIDATES,
}
SEND = ("messages", "explain", "+81312345678", "--body", "Hello", "--type", "otp")


def test_an_explanation_names_the_gate_that_refuses_and_why_no_sender_fits(api: Api) -> None:
    """What the API explains could be asked from a shell by curl alone."""
    api.answers = [(200, EXPLANATION)]
    done = run(api, *SEND)
    assert done.exit_code == 0, done.output
    assert api.asked == [
        ("POST", "/v1/messages/explain", {"to": "+81312345678", "body": "Hello", "type": "otp"})
    ]
    assert done.output.startswith("It would be refused with country_not_allowed.")
    for shown in ("JP is not on the tenant's list", "+18885550100", "other_country", "it serves US"):
        assert shown in done.output


def test_an_explanation_for_a_program_is_one_json_document(api: Api) -> None:
    """As the API answered it."""
    api.answers = [(200, EXPLANATION)]
    assert json.loads(run(api, *SEND, "--json").output) == EXPLANATION


def test_a_send_that_would_be_taken_is_said_to_be(api: Api) -> None:
    """A tenant without senders, as a test key has them, has none to show."""
    api.answers = [(200, {**EXPLANATION, "accepted": True, "refused_with": None, "candidates": []})]
    done = run(api, *SEND)
    assert done.output.startswith("It would be taken.")
    assert "The tenant has no senders." in done.output
