"""Every code that can reach a client is in the one table of refusals."""

import ast
from typing import get_args

import pytest

from gateway.admission.verdict import GateName
from gateway.api.problems import PROBLEMS
from gateway.intake.outcome import DeclineCode

CODE_ARGUMENT = {"Refusal": 0, "Conflict": 0}
"""Constructors whose first argument is a code."""


def codes_in(sources):
    """Code to the first place that uses it."""
    found = {}
    for source in sources:
        for call in source.calls(*CODE_ARGUMENT):
            for text in _texts(call.args[:1]):
                found.setdefault(text, f"{source.path}:{call.lineno}")
        for call in source.calls("Declined", "refusals"):
            arguments = [k.value for k in call.keywords if k.arg == "code"]
            arguments += (
                [a for a in call.args if not isinstance(a, ast.Starred)] if _is(call, "refusals") else []
            )
            for text in _texts(arguments):
                found.setdefault(text, f"{source.path}:{call.lineno}")
    return found


def _is(call, name):
    return isinstance(call.func, ast.Name) and call.func.id == name


def _texts(nodes):
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _of_the_gateway(sources):
    return [source for source in sources if not source.path.startswith("gateway/emulator/")]


def test_every_code_that_is_used_is_in_the_table(sources):
    """A code without its page, status and way out would be a dead end for whoever gets it."""
    used = codes_in(_of_the_gateway(sources))
    assert used, "codes are used somewhere"
    assert {code: place for code, place in used.items() if code not in PROBLEMS} == {}


@pytest.mark.parametrize("code", sorted({*get_args(DeclineCode), *get_args(GateName)}))
def test_every_verdict_has_its_problem(code):
    """What admission and intake may answer, the edge can say."""
    assert code in PROBLEMS


def test_an_unknown_code_is_noticed(parse):
    """The rule above can fail."""
    assert codes_in([parse("raise Refusal('made_up')")]) == {"made_up": "tenants/made_up/store.py:1"}


def test_a_problem_says_what_happened_and_the_way_out():
    """Each entry is complete: a sentence for a person, a status for a program."""
    for code, kind in PROBLEMS.items():
        assert kind.code == code
        assert 400 <= kind.status < 600, code
        assert kind.title, code
        assert kind.explanation.endswith((".", "`")), code
        assert kind.way_out.endswith((".", "`")), code
