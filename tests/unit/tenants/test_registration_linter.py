"""The registration linter on sixty drafts: thirty that pass, thirty each broken in one known way."""

from pathlib import Path

import msgspec
import pytest

from tenants.registrations.linting.draft import Draft, draft_of
from tenants.registrations.linting.lint import errors_of, lint
from tenants.registrations.sender_ids import refusal_of
from tests.integration.carrier.registration_values import JORDAN, TOLL_FREE

DRAFTS = msgspec.json.decode((Path(__file__).parent / "data" / "registration_drafts.json").read_bytes())


def test_there_are_sixty():
    """Thirty of each, no fault twice."""
    faults = [each["fault"] for each in DRAFTS["bad"]]
    assert (len(DRAFTS["good"]), len(faults), len(set(faults))) == (30, 30, 30)


@pytest.mark.parametrize("case", DRAFTS["good"], ids=lambda case: case["name"])
def test_a_good_draft_passes(case):
    """A linter that cries at what is fine is switched off."""
    assert errors_of(msgspec.convert(case["draft"], Draft)) == []


@pytest.mark.parametrize("case", DRAFTS["bad"], ids=lambda case: case["name"])
def test_the_fault_of_a_broken_draft_is_named(case):
    """The one that is there and no other, each with its fix."""
    found = errors_of(msgspec.convert(case["draft"], Draft))
    assert {each.code for each in found} == {case["fault"]}
    assert all(each.field and each.message and each.fix for each in found)


@pytest.mark.parametrize(
    ("kind", "values"), [("US_TOLL_FREE_REGISTRATION", TOLL_FREE), ("JO_SENDER_ID_REGISTRATION", JORDAN)]
)
def test_a_filled_form_is_linted_as_a_draft(kind, values):
    """By the last part of each path, so a form that AWS changes a little is still read."""
    draft = draft_of(kind, {**values, "messagingUseCase.optInImage": "att_1"})
    assert errors_of(draft) == []
    worse = draft_of(kind, {**values, "messagingUseCase.optInDescription": "They agree."})
    assert "opt_in_too_short" in {each.code for each in lint(worse)}


@pytest.mark.parametrize(
    ("sender_id", "country", "code"),
    [
        ("ANYCO-OTP", "GB", None),
        ("EXAMPLE", "JO", None),
        ("ABCDEF", "IN", None),
        ("OTP", "GB", "sender_id_no_brand"),
        ("AB", "GB", "sender_id_form"),
        ("ANY_CO", "GB", "sender_id_form"),
        ("12345", "GB", "sender_id_numeric"),
        ("-ANYCO", "GB", "sender_id_form"),
        ("ANYCOMPANYLTD", "GB", "sender_id_form"),
        ("ANYCO", "IN", "sender_id_india"),
        ("ANY-CO", "JO", "sender_id_form"),
    ],
)
def test_sender_ids_are_held_to_their_rules(sender_id, country, code):
    """F-SID-VAL, with the countries' own."""
    refused = refusal_of(sender_id, country)
    assert (refused and refused.code) == code
