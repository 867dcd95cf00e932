"""What STOP, HELP and JOIN answer, and what carriers would object to."""

import pytest

from tenants.keywords.texts import DEFAULTS, MAX_CHARACTERS, chosen, filled, findings

BRAND = "ExampleCorp"
HELP = (
    "ExampleCorp Account Alerts: For help call 1-888-555-0142 or go to example.com. "
    "Msg&data rates may apply. Text STOP to cancel."
)
STOP = (
    "You are unsubscribed from ExampleCorp Account Alerts. No more messages will be sent. "
    "Reply HELP for help or call 1-888-555-0142."
)


def codes(keyword, text, language="en"):
    """The findings by code."""
    return {each.code: each.severity for each in findings(keyword, text, brands=(BRAND,), language=language)}


@pytest.mark.parametrize(("keyword", "text"), [("HELP", HELP), ("STOP", STOP)])
def test_the_examples_of_aws_pass(keyword, text):
    """A linter that objects to the documented examples would object to everything."""
    assert codes(keyword, text) == {}


@pytest.mark.parametrize(
    ("keyword", "text", "code"),
    [
        ("STOP", "ExampleCorp: bye", "length"),
        ("STOP", f"ExampleCorp: no more messages will be sent. {'x' * 160}", "length"),
        ("STOP", "You will get no more messages from us, we promise.", "brand_missing"),
        ("STOP", "ExampleCorp: thank you for your time with us.", "end_not_confirmed"),
        (
            "HELP",
            "ExampleCorp: call 1-888-555-0142 for help. Msg & data rates may apply.",
            "stop_hint_missing",
        ),
        ("JOIN", "ExampleCorp: welcome! Msg & data rates may apply. Reply HELP.", "stop_hint_missing"),
    ],
)
def test_what_carriers_refuse_is_an_error(keyword, text, code):
    """Each of these has cost somebody a registration."""
    assert codes(keyword, text)[code] == "error"


@pytest.mark.parametrize(
    ("keyword", "text", "code"),
    [
        ("HELP", "ExampleCorp alerts. Msg & data rates may apply. Text STOP to cancel.", "contact_missing"),
        ("HELP", "ExampleCorp: call 1-888-555-0142 for help. Text STOP to cancel.", "rates_missing"),
        ("JOIN", "ExampleCorp: welcome! Msg & data rates may apply. STOP to end.", "frequency_missing"),
        ("JOIN", "ExampleCorp: weekly news, 1 msg/week. Reply STOP to end.", "help_hint_missing"),
    ],
)
def test_what_only_some_programs_need_is_a_notice(keyword, text, code):
    """It is shown, and the text is taken."""
    assert codes(keyword, text)[code] == "notice"


@pytest.mark.parametrize("keyword", ["STOP", "HELP", "JOIN"])
def test_every_default_fits_one_message_and_names_the_brand(keyword):
    """What is sent before anybody wrote anything better has to hold, too."""
    for language, text in DEFAULTS[keyword].items():
        assert len(filled(text, BRAND)) <= MAX_CHARACTERS, language
        errors = [code for code, severity in codes(keyword, text, language).items() if severity == "error"]
        assert errors == [], language


def test_the_own_text_of_a_language_stands_before_the_own_text_for_all_and_that_before_the_default():
    """A tenant that wrote one English text wants it sent, and not ours in Spanish."""
    own = {("HELP", ""): "all", ("HELP", "de"): "deutsch"}
    assert chosen("HELP", "de", own) == "deutsch"
    assert chosen("HELP", "es", own) == "all"
    assert chosen("STOP", "es", own) == DEFAULTS["STOP"]["es"]
    assert chosen("STOP", "xx", own) == DEFAULTS["STOP"]["en"]
