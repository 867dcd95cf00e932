"""The planner alone: each difference gives one step, and a plan carried out gives none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.carrier.provision.fingerprint import differences, fingerprint_of
from gateway.carrier.provision.plan import match, plan
from gateway.carrier.provision.shapes import (
    DESTINATION,
    Desired,
    Quota,
    SeenDestination,
    SeenNumber,
    SeenPool,
    SeenSenderId,
    SeenSet,
    WantedSender,
    World,
)

TOPIC = "arn:aws:sns:us-east-1:1:tollgate"
DESIRED = Desired(
    name="tg-acme",
    senders=(WantedSender(country="US", type="TEN_DLC", value="+12065550100", arn="n1"),),
    pool_arn="p1",
    topic_arn=TOPIC,
    taken=frozenset({"n1"}),
)
NUMBER = SeenNumber(
    arn="n1",
    value="+12065550100",
    country="US",
    type="TEN_DLC",
    promotional=False,
    active=True,
    opt_out_list="tg-acme",
    two_way=False,
    topic_arn=None,
    self_managed=False,
    pool_id="p1",
    protected=False,
    monthly_usd="1.00",
)
SET = SeenSet(
    arn="c1",
    destinations=(
        SeenDestination(name=DESTINATION, enabled=True, event_types=("ALL",), topic_arn=TOPIC),
        SeenDestination(name="the operator's own", enabled=False, event_types=("TEXT_SENT",), topic_arn=None),
    ),
)
POOL = SeenPool(
    id="p1",
    arn="p1",
    members=("n1",),
    countries={"n1": "US"},
    opt_out_list="tg-acme",
    two_way=False,
    topic_arn=None,
    self_managed=False,
    protected=False,
)
WORLD = World(numbers=(NUMBER,), opt_out_list=True, configuration_set=SET, pool=POOL)


def done(desired=DESIRED, world=WORLD):
    """What a plan does, shortly."""
    return [(step.action, step.kind) for step in plan(desired, world).changes]


def test_a_world_as_desired_needs_nothing():
    """An operator who looks for drift sees none, and the operator's own event destination is let be."""
    assert done() == []


def changed_destination(**members):
    """The set with its own destination changed."""
    first = replace(SET.destinations[0], **members)
    return replace(WORLD, configuration_set=replace(SET, destinations=(first,)))


@pytest.mark.parametrize(
    ("world", "steps"),
    [
        (replace(WORLD, opt_out_list=False), [("create", "opt_out_list")]),
        (replace(WORLD, numbers=()), [("missing", "number")]),
        (replace(WORLD, configuration_set=SeenSet(arn="c1")), [("create", "event_destination")]),
        (
            replace(WORLD, configuration_set=None),
            [("create", "configuration_set"), ("create", "event_destination")],
        ),
        (changed_destination(enabled=False), [("change", "event_destination")]),
        (changed_destination(event_types=("TEXT_SENT",)), [("change", "event_destination")]),
        (changed_destination(topic_arn="another"), [("change", "event_destination")]),
        (replace(WORLD, pool=replace(POOL, opt_out_list="Default")), [("change", "two_way")]),
        (replace(WORLD, pool=replace(POOL, two_way=True, topic_arn=TOPIC)), [("change", "two_way")]),
        (replace(WORLD, pool=None, numbers=(replace(NUMBER, pool_id=None),)), [("missing", "pool")]),
        (
            replace(WORLD, pool=replace(POOL, members=("n1", "x"), countries={"n1": "US", "x": "US"})),
            [("delete", "pool_member")],
        ),
        (
            replace(WORLD, numbers=(replace(NUMBER, pool_id=None),), pool=replace(POOL, members=("o",))),
            [("create", "pool_member")],
        ),
    ],
)
def test_each_difference_is_one_step(world, steps):
    """What somebody changed by hand is named for what it is."""
    desired = replace(DESIRED, taken=DESIRED.taken | {"o"})
    assert done(desired, world) == steps


@pytest.mark.parametrize(
    ("desired", "steps"),
    [
        (replace(DESIRED, protect_id="protect-1"), [("change", "protect")]),
        (replace(DESIRED, keywords={"HELP": "Acme: call 1"}), [("change", "keyword")]),
        (
            replace(DESIRED, senders=(replace(DESIRED.senders[0], two_way=True, self_managed=True),)),
            [("change", "two_way")],
        ),
    ],
)
def test_each_wish_that_aws_does_not_know_is_one_step(desired, steps):
    """Keywords, two-way and protect configurations are part of the plan."""
    assert done(desired) == steps


def test_a_number_of_two_tenants_keeps_its_settings():
    """Two tenants' plans would change it to and fro."""
    alone = replace(NUMBER, pool_id=None, opt_out_list="Default")
    desired = replace(DESIRED, dedicated_pool=False, pool_arn=None)
    world = replace(WORLD, numbers=(alone,), pool=None)
    assert done(desired, world) == [("change", "two_way")]
    assert done(replace(desired, shared=frozenset({"n1"})), world) == []


def test_a_leftover_of_a_run_that_died_is_adopted_and_another_tenants_is_not():
    """A number costs money from its request on: none is requested while one lies about."""
    wish = WantedSender(country="US", type="TEN_DLC")
    desired = replace(DESIRED, senders=(wish,), pool_arn=None)
    assert match(wish, replace(desired, taken=frozenset()), WORLD) == "n1"
    assert match(wish, desired, WORLD) is None
    elsewhere = replace(WORLD, numbers=(replace(NUMBER, opt_out_list="Default"),))
    assert match(wish, replace(desired, taken=frozenset()), elsewhere) is None


@pytest.mark.parametrize(
    ("wish", "pool_id", "said"),
    [
        (WantedSender(country="US", type="TOLL_FREE", value="+18005550199"), "p1", "/v1/admin/numbers"),
        (WantedSender(country="US", type="SHORT_CODE"), "p1", "support case"),
        (DESIRED.senders[0], "p2", "another AWS pool"),
        (WantedSender(country="US", type="SENDER_ID", value="ACME"), "p1", "US has no sender ids"),
        (WantedSender(country="IN", type="SENDER_ID", value="ACMEBK"), "p1", "register this one first"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(wish, pool_id, said):
    """An operator learns it from the plan, with the way out."""
    world = replace(WORLD, numbers=(replace(NUMBER, pool_id=pool_id),))
    (refusal,) = plan(replace(DESIRED, senders=(wish,)), world).refusals
    assert said in refusal


@pytest.mark.parametrize(
    ("used", "warns", "refuses"),
    [(18, False, False), (19, True, False), (24, True, False), (25, False, True)],
)
def test_quotas_warn_from_four_fifths_on_and_refuse_what_does_not_fit(used, warns, refuses):
    """AWS gives an account 25 pools; the way out is named before half a tenant is made."""
    world = replace(
        WORLD,
        pool=None,
        numbers=(replace(NUMBER, pool_id=None),),
        quotas={"POOLS": Quota(used=used, most=25)},
    )
    found = plan(replace(DESIRED, pool_arn=None), world)
    assert (bool(found.warnings), bool(found.refusals)) == (warns, refuses)
    assert all("dedicated_pool" in each for each in found.refusals)


def test_a_full_quota_that_nothing_new_counts_against_does_not_refuse():
    """A tenant that has its pool is not locked out by others that fill the account."""
    found = plan(DESIRED, replace(WORLD, quotas={"POOLS": Quota(used=25, most=25)}))
    assert (found.refusals, len(found.warnings)) == ((), 1)


def test_the_duration_is_that_of_the_most_frequent_action():
    """AWS counts each action by itself, so different ones do not wait for each other."""
    wishes = tuple(WantedSender(country=iso, type="LONG_CODE", pooled=False) for iso in ("GB", "FR", "SE"))
    assert plan(replace(DESIRED, senders=wishes, dedicated_pool=False), World()).seconds == 3


def test_a_fingerprint_names_what_is_otherwise():
    """Whoever applies an old plan reads which step differs instead of `no`."""
    seen = plan(DESIRED, replace(WORLD, opt_out_list=False))
    mark = fingerprint_of(seen, "a")
    assert differences(mark, seen, "a") == []
    assert differences(mark, seen, "b") == ["otherwise: create opt_out_list tg-acme"]
    both = plan(DESIRED, replace(WORLD, opt_out_list=False, configuration_set=SeenSet(arn="c1")))
    assert differences(mark, both, "a") == ["new: create event_destination tollgate"]
    assert differences(mark, plan(DESIRED, WORLD), "a") == ["1 of its steps no longer needed"]


COUNTRIES = st.sampled_from(["GB", "FR", "SE"])
WISHES = st.one_of(
    st.builds(
        WantedSender,
        country=COUNTRIES,
        type=st.sampled_from(["LONG_CODE", "TEN_DLC"]),
        promotional=st.booleans(),
    ),
    st.builds(
        WantedSender, country=COUNTRIES, type=st.just("SENDER_ID"), value=st.sampled_from(["ACME", "BAZ"])
    ),
)
WORLDS = st.builds(
    World,
    opt_out_list=st.booleans(),
    configuration_set=st.none()
    | st.builds(
        SeenSet,
        arn=st.just("c"),
        protect_id=st.none() | st.just("other"),
        destinations=st.just(())
        | st.tuples(
            st.builds(
                SeenDestination,
                name=st.just(DESTINATION),
                enabled=st.booleans(),
                event_types=st.sampled_from([("ALL",), ("TEXT_SENT",)]),
                topic_arn=st.sampled_from([TOPIC, "other", None]),
            )
        ),
    ),
)


def carried_out(desired: Desired, world: World) -> tuple[Desired, World]:
    """An AWS that does what each step says, and a gateway that writes it down."""
    arns = {each.arn for each in desired.senders}
    new: list[WantedSender] = []
    numbers, ids = list(world.numbers), list(world.sender_ids)
    for at, wanted in enumerate(desired.senders):
        arn = match(wanted, desired, world) or f"made-{at}-{len(arns)}"
        new.append(replace(wanted, arn=arn, value=wanted.value or f"+4470000000{at}"))
        if wanted.type == "SENDER_ID":
            if all(each.arn != arn for each in ids):
                ids.append(
                    SeenSenderId(
                        arn=arn,
                        value=wanted.value or "",
                        country=wanted.country,
                        protected=False,
                        monthly_usd="0",
                    )
                )
        elif all(each.arn != arn for each in numbers):
            seen: dict[str, Any] = {"arn": arn, "country": wanted.country, "type": wanted.type}
            numbers.append(replace(NUMBER, promotional=wanted.promotional, pool_id=None, **seen))
    members = tuple(
        each.arn or "" for each in new if each.pooled and not each.promotional and desired.dedicated_pool
    )
    pool = replace(POOL, members=members, countries=dict.fromkeys(members, "GB")) if members else None
    numbers = [replace(each, pool_id="p1" if each.arn in members else None) for each in numbers]
    configuration_set = SeenSet(arn="c", protect_id=desired.protect_id, destinations=(SET.destinations[0],))
    after = replace(
        desired,
        senders=tuple(new),
        pool_arn="p1" if members else None,
        taken=frozenset(each.arn or "" for each in new),
    )
    owners = {"p1" if pool else "", *(each.arn for each in numbers)}
    return after, World(
        numbers=tuple(numbers),
        sender_ids=tuple(ids),
        opt_out_list=True,
        configuration_set=configuration_set,
        pool=pool,
        keywords={owner: dict(desired.keywords) for owner in owners},
    )


@given(
    wishes=st.lists(WISHES, max_size=5, unique=True),
    world=WORLDS,
    dedicated=st.booleans(),
    keywords=st.sampled_from([{}, {"HELP": "Acme helps"}]),
    protect_id=st.none() | st.just("protect-1"),
)
def test_a_plan_carried_out_leaves_nothing_to_plan(wishes, world, dedicated, keywords, protect_id):
    """Whatever is there and whatever is wished for, one run converges and the second plan is empty."""
    desired = Desired(
        name="tg-acme",
        senders=tuple(wishes),
        dedicated_pool=dedicated,
        topic_arn=TOPIC,
        keywords=keywords,
        protect_id=protect_id,
    )
    assert plan(*carried_out(desired, world)).changes == ()
