"""How long a post may last is bounded: another sender takes what is still under way when its lease ends."""

import pytest

from gateway.errors import ConfigurationError
from gateway.settings import read_settings
from tests.unit.test_rate_settings import REQUIRED


def test_a_shorter_deadline_is_read() -> None:
    """Down to a second."""
    assert read_settings(REQUIRED | {"TOLLGATE_WEBHOOK_TIMEOUT_S": "1"}).webhook_timeout_s == 1.0


@pytest.mark.parametrize("seconds", ["0", "-1", "25.5", "60", "inf", "nan"])
def test_a_deadline_that_outlasts_a_lease_or_leaves_no_time_keeps_the_process_from_starting(seconds) -> None:
    """With the name of the setting; later each slow post would be made twice, or none would succeed."""
    with pytest.raises(ConfigurationError, match="TOLLGATE_WEBHOOK_TIMEOUT_S"):
        read_settings(REQUIRED | {"TOLLGATE_WEBHOOK_TIMEOUT_S": seconds})


@pytest.mark.parametrize("posts", ["0", "-1"])
def test_a_sender_without_a_place_keeps_the_process_from_starting(posts) -> None:
    """It would run and tell nobody anything."""
    with pytest.raises(ConfigurationError, match="TOLLGATE_WEBHOOK_IN_FLIGHT"):
        read_settings(REQUIRED | {"TOLLGATE_WEBHOOK_IN_FLIGHT": posts})
