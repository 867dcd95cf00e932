"""The stages and the application pack of a short code."""

from datetime import UTC, datetime, timedelta

import pytest

from tenants.errors import Conflict
from tenants.registrations.forms import Field, Form, FormType
from tenants.shortcodes.pack import asked, check_answers, pack_of, questions
from tenants.shortcodes.stages import STAGE_NAMES, STAGES, check_move, is_stale

NOW = datetime(2026, 11, 1, tzinfo=UTC)
REGISTERED = {"companyName": "Example Corp", "website": "https://www.example.com", "useCaseCategory": ["OTP"]}
CONFIRM = "Example Alerts: 1 msg per login. Msg & data rates may apply. Reply HELP for help, STOP to opt out."


def test_there_are_twelve_stages_each_with_an_owner_and_a_next_action():
    """The guide's list, in its order."""
    assert len(STAGE_NAMES) == 12
    assert tuple(STAGES) == STAGE_NAMES
    assert all(stage.owner and stage.next_action for stage in STAGES.values())


def test_a_stage_is_stale_once_and_again_after_the_next_one():
    """Carriers have six weeks; a second look at the same silence is no second alarm."""
    late = NOW + timedelta(days=43)
    assert not is_stale("carrier_review", since=NOW, told_at=None, now=NOW + timedelta(days=41))
    assert is_stale("carrier_review", since=NOW, told_at=None, now=late)
    assert not is_stale("carrier_review", since=NOW, told_at=late, now=late + timedelta(days=9))
    assert is_stale("vetting", since=late, told_at=NOW, now=late + timedelta(days=20))


def test_an_active_code_goes_back_nowhere_and_others_may_be_sent_back():
    """Reviewers send back; carriers do not unprovision."""
    check_move("carrier_review", "form_filled")
    for present, wanted in (("active", "vetting"), ("vetting", "vetting")):
        with pytest.raises(Conflict):
            check_move(present, wanted)


def test_the_pack_knows_what_registrations_said_and_an_answer_wins():
    """Nobody types the company's name twice."""
    pack = pack_of(questions(), {"company_website": "https://acme.example"}, REGISTERED, {}, country="US")
    found = {each.key: (each.value, each.source) for each in pack.fields}
    assert found["company_name"] == ("Example Corp", "known")
    assert found["company_website"] == ("https://acme.example", "answer")
    assert found["message_types"] == ("OTP", "known")
    assert "tax_id" in {each.key for each in pack.blank}
    assert "sample_3" not in {each.key for each in pack.blank}, "optional"


def test_the_pack_is_linted():
    """F-RTXT: the three texts have their rules here, too."""
    texts = {"service_name": "Example Alerts", "confirm": CONFIRM, "stop": "Bye."}
    codes = {each.code for each in pack_of(questions(), texts, REGISTERED, {}, country="US").findings}
    assert {"stop_length", "stop_no_brand"} <= codes
    assert not {code for code in codes if code.startswith("confirm_")}


def test_a_form_that_aws_describes_is_asked_as_well():
    """Should AWS take short codes by API, its own fields are there at once."""
    field = Field(path="x.vanity", section="x", kind="TEXT", requirement="REQUIRED", title="Vanity code")
    form = Form(type=FormType(type="US_SHORT_CODE_REGISTRATION"), sections=(), fields=(field,))
    wanted = asked([form])
    pack = pack_of(wanted, {}, {"vanity": "55555"}, {}, country="US")
    assert (pack.fields[-1].key, pack.fields[-1].value) == ("x.vanity", "55555")


@pytest.mark.parametrize("answers", [{"nobody": "x"}, {"help": " "}, {"help": "x" * 4001}, {"help": "\0"}])
def test_answers_that_do_not_fit_are_named(answers):
    """By key, or as unknown."""
    (fault,) = check_answers(questions(), answers)
    assert fault.field.startswith("/answers")
