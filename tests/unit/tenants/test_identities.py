"""What AWS's identities look like, and what is none."""

import pytest

from tenants.countries.numbers import country_of, simulator_outcomes
from tenants.errors import InvalidInput
from tenants.senders.identities import check_identity


@pytest.mark.parametrize(
    ("type_", "value", "country"),
    [
        ("LONG_CODE", "+12065550100", "US"),
        ("LONG_CODE", "+17875550100", "PR"),
        ("LONG_CODE", "+447700900001", "GB"),
        ("LONG_CODE", "+447700900001", "IE"),
        ("LONG_CODE", "+390612345678", "IT"),
        ("LONG_CODE", "+5997171234", "AN"),
        ("TEN_DLC", "+14155550123", "US"),
        ("TOLL_FREE", "+18335550100", "CA"),
        ("SHORT_CODE", "12345", "US"),
        ("SHORT_CODE", "123", "NO"),
        ("SENDER_ID", "A", "GB"),
        ("SENDER_ID", "ACME-BANK_1", "GB"),
        ("SENDER_ID", "612345", "IN"),
        ("SHARED", "shared routes", "GB"),
        ("SIMULATOR", "+12065559457", "US"),
    ],
)
def test_what_aws_gives_is_taken(type_, value, country):
    """A value that AWS has is never the operator's mistake."""
    check_identity(type_, value, country)


def test_aws_simulator_numbers_are_numbers_of_their_countries():
    """Also the Norwegian pair that libphonenumber rejects."""
    for value in simulator_outcomes():
        check_identity("SIMULATOR", value, country_of(value) or "")


@pytest.mark.parametrize(
    ("type_", "value", "country", "field"),
    [
        ("LONG_CODE", "+12065550100", "ZZ", "/country"),
        ("LONG_CODE", "not a number", "US", "/value"),
        ("LONG_CODE", "+120655", "US", "/value"),
        ("LONG_CODE", "12065550100", "US", "/value"),
        ("LONG_CODE", "+1206555010\u0660", "US", "/value"),
        ("TOLL_FREE", "ACME", "US", "/value"),
        ("SHORT_CODE", "12", "US", "/value"),
        ("SHORT_CODE", "123456789", "US", "/value"),
        ("SENDER_ID", "", "GB", "/value"),
        ("SENDER_ID", "TWELVESIGNS1", "GB", "/value"),
        ("SENDER_ID", "ACME BANK", "GB", "/value"),
        ("SENDER_ID", "ACME\n", "GB", "/value"),
        ("SENDER_ID", "---", "GB", "/value"),
        ("SHARED", " ", "GB", "/value"),
    ],
)
def test_what_can_be_no_identity_is_refused_with_its_field(type_, value, country, field):
    """The emulator and AWS would refuse each message from it."""
    with pytest.raises(InvalidInput) as refusal:
        check_identity(type_, value, country)
    assert refusal.value.field == field
