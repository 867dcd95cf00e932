"""Answers as fields and fields as answers."""

import pytest

from gateway.console import forms
from gateway.console.ports import Fault, Problem
from gateway.console.questions import QUESTIONS, groups_of
from tests.unit.tenants.onboarding_answers import COMPLETE


def test_every_answer_comes_back_from_its_fields_as_it_was() -> None:
    """A form that is opened and saved changes nothing."""
    for name in QUESTIONS.keys() - {"senders"}:
        groups = groups_of(name, use_cases=2)
        filled = forms.read(groups, forms.shown(groups, COMPLETE[name]))
        assert filled.errors.keys() <= {"parts_per_second"}, name
        for path, value in forms.flattened(COMPLETE[name]).items():
            assert forms.flattened(filled.answer)[path] == value, (name, path)


def test_an_empty_optional_group_is_left_out_and_a_begun_one_is_not() -> None:
    """The blank use case below the last one."""
    groups = groups_of("use_cases", use_cases=2)
    values = forms.shown(groups, COMPLETE["use_cases"])
    assert len(groups) == 2
    assert len(forms.read(groups, values).answer["programmes"]) == 1
    assert "programmes.1.type" in forms.read(groups, values | {"programmes.1.use_case": "otp"}).errors


def test_what_was_left_empty_is_closed_up_as_it_is_stored() -> None:
    """The API counts what it gets: a fault of the second use case stood at the empty one above it."""
    groups = groups_of("use_cases", use_cases=3)
    sent = {
        "token": "t",
        "programmes.0.use_case": "otp",
        "programmes.0.samples.0": "The first one",
        "programmes.0.samples.1": "",
        "programmes.0.samples.2": "The third one",
        "programmes.1.use_case": "",
        "programmes.2.use_case": "marketing",
    }
    assert forms.moved_up(groups, sent) == {
        "token": "t",
        "programmes.0.use_case": "otp",
        "programmes.0.samples.0": "The first one",
        "programmes.0.samples.1": "The third one",
        "programmes.1.use_case": "marketing",
    }


def test_a_fault_stands_at_the_nearest_field() -> None:
    """`/reach/countries/3` belongs to the one field of countries."""
    problem = Problem(errors=[Fault(field="/reach/countries/3", detail="There is none.")])
    groups = groups_of("reach")
    assert forms.faults_of(problem, "/reach/", groups) == {"countries": "There is none."}
    assert forms.faults_of(Problem(detail="No."), "/reach/", groups) == {"": "No."}


@pytest.mark.parametrize("text", ["nan", "inf", "1_0", "٣", "1e400", " 1"])
def test_what_only_python_takes_for_a_number_is_none(text: str) -> None:
    """JSON has no NaN: the API refused the whole body, and no field was named."""
    group = forms.Group(
        title="Rates", fields=(forms.Field(name="rate", label="Rate", kind="number", counts="any"),)
    )
    assert forms.read([group], {"rate": text}).errors == {"rate": "Give a number."}
    assert forms.read([group], {"rate": "0.5"}).answer == {"rate": 0.5}


def test_a_number_that_is_none_is_said_to_be_none() -> None:
    """Before the API is asked."""
    groups = groups_of("reach")
    sent = {"countries": "us, gb", "messages_per_month": "many", "parts_per_second": "1.5"}
    filled = forms.read(groups, sent)
    assert filled.errors == {"messages_per_month": "Give a whole number."}
    assert filled.answer["countries"] == ["US", "GB"]


def test_two_fields_of_one_label_are_told_apart() -> None:
    """The summary of mistakes named an e-mail and a phone twice."""
    labels = forms.labels_of(groups_of("profile"))
    assert (labels["contact.email"], labels["support.email"]) == ("Contact, E-mail", "Support, E-mail")
    assert labels["brand"] == "Brand"
    assert len(set(labels.values())) == len(labels)
