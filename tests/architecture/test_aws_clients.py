"""No AWS client waits as long as the SDK would let it: a minute for a connection, five times over."""

import pytest

SERVICES = frozenset({"pinpoint-sms-voice-v2", "sns", "sqs", "s3", "sts"})


def left_to_the_sdk(sources):
    """Where a client of a service is opened without a configuration of ours."""
    return {
        f"{source.path}:{call.lineno}"
        for source in sources
        for call in source.calls("client", "create_client")
        if call.args
        and getattr(call.args[0], "value", None) in SERVICES
        and not any(keyword.arg == "config" for keyword in call.keywords)
    }


def test_every_client_has_a_configuration(sources):
    """With time-outs and a number of tries that somebody chose."""
    assert left_to_the_sdk(sources) == set()


@pytest.mark.parametrize("call", ['session.client("sns")', 'own.create_client("s3", region_name="x")'])
def test_one_without_any_is_found(parse, call):
    """The rule can fail."""
    assert left_to_the_sdk([parse(f"async def f(session, own): {call}\n", "gateway/made_up.py")]) == {
        "gateway/made_up.py:1"
    }
