"""The first account's rate, which comes from the environment, is held to the rule of every rate."""

import pytest

from gateway.errors import ConfigurationError
from gateway.settings import read_settings

REQUIRED = {
    "DATABASE_URL": "postgresql://localhost/x",
    "REDIS_URL": "redis://localhost",
    "TOLLGATE_OPERATOR_KEY": "operator-key-for-tests",
    "TOLLGATE_SECRET_KEY": "secret-key-for-tests",
}


def test_a_rate_within_the_rule_is_read() -> None:
    """As AWS writes it in its letters."""
    assert read_settings(REQUIRED | {"TOLLGATE_AWS_SENDS_PER_SECOND": "20"}).aws_sends_per_second == 20.0


@pytest.mark.parametrize("rate", ["0", "1e-320", "1e300", "inf", "nan"])
def test_a_rate_beyond_the_rule_keeps_the_process_from_starting(rate: str) -> None:
    """With the name of the setting; later it would be a dispatcher that fails."""
    with pytest.raises(ConfigurationError, match="aws_sends_per_second"):
        read_settings(REQUIRED | {"TOLLGATE_AWS_SENDS_PER_SECOND": rate})
