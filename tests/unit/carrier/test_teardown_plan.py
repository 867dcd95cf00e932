"""What a teardown takes away, in which order, and what it leaves alone."""

import pytest
from msgspec.structs import replace

from gateway.carrier.provision.teardown_plan import teardown
from tests.unit.carrier.test_provision_plan import DESIRED, NUMBER, POOL, WORLD

EVERYTHING = {"release_numbers": True, "delete_opt_out_list": True}


def done(desired=DESIRED, world=WORLD, **how):
    """What goes, and the refusals."""
    found = teardown(desired, world, **({"release_numbers": False, "delete_opt_out_list": False} | how))
    return [step.kind for step in found.steps if step.action == "delete"], found


def test_numbers_and_opt_outs_stay_unless_they_are_named():
    """A number never comes back, and the list says who must not be texted."""
    gone, found = done()
    assert gone == ["pool", "event_destination", "event_destination", "configuration_set"]
    assert [step.kind for step in found.steps if step.action == "keep"] == ["number", "opt_out_list"]
    assert found.refusals == ()


def test_everything_goes_in_the_order_that_aws_allows():
    """The pool lets go of its numbers before they are released, and the list goes when nobody uses it."""
    two = replace(WORLD, pool=replace(POOL, members=("n1", "n2"), countries={"n1": "US", "n2": "US"}))
    gone, found = done(world=two, **EVERYTHING)
    assert gone == [
        *("pool_member", "pool", "event_destination", "event_destination", "configuration_set"),
        *("number", "opt_out_list"),
    ]
    assert found.refusals == ()


@pytest.mark.parametrize(
    ("world", "said"),
    [
        (replace(WORLD, pool=replace(POOL, protected=True)), "pool p1 is protected"),
        (replace(WORLD, numbers=(replace(NUMBER, protected=True),)), "+12065550100 is protected"),
        (
            replace(WORLD, numbers=(NUMBER, replace(NUMBER, arn="x", value="+12065550111"))),
            "+12065550111 still stop recipients",
        ),
    ],
)
def test_what_is_protected_or_still_needed_refuses_before_anything_goes(world, said):
    """A half-torn tenant helps nobody."""
    _, found = done(world=world, **EVERYTHING)
    assert any(said in each for each in found.refusals)


def test_a_number_of_two_tenants_is_not_released_by_one():
    """The other one still sends from it."""
    gone, _ = done(replace(DESIRED, shared=frozenset({"n1"})), release_numbers=True)
    assert "number" not in gone


def test_a_world_that_is_gone_leaves_nothing_to_take_away():
    """A teardown that is run again after its end does nothing."""
    empty = replace(WORLD, numbers=(), pool=None, configuration_set=None, opt_out_list=False)
    assert done(world=empty, **EVERYTHING)[0] == []
