"""One rule for every rate that a person names."""

import math

import pytest

from tenants.errors import InvalidInput
from tenants.rates import FASTEST, MOST_A_DAY, SLOWEST, check_day_parts, check_rate


@pytest.mark.parametrize("rate", [SLOWEST, 0.2, 1, FASTEST])
def test_a_rate_that_somebody_could_mean_passes(rate) -> None:
    """From one part in hours, past the slowest that AWS grants, to a thousand short codes."""
    check_rate("/parts_per_second", rate)


@pytest.mark.parametrize(
    "rate", [0, -1, 1e-320, SLOWEST * 0.99, FASTEST * 1.01, 1e300, math.inf, -math.inf, math.nan]
)
def test_a_rate_that_nobody_means_is_refused_with_its_field_and_the_bounds(rate) -> None:
    """What is not a number is neither above nor below a bound."""
    with pytest.raises(InvalidInput, match=r"0\.0001 to 100,000 per second") as refusal:
        check_rate("/countries/GB", rate)
    assert (refusal.value.field, refusal.value.code) == ("/countries/GB", "out_of_range")


@pytest.mark.parametrize("parts", [1, 200_000, MOST_A_DAY])
def test_a_ceiling_of_a_day_that_somebody_could_mean_passes(parts) -> None:
    """T-Mobile's largest is 200,000."""
    check_day_parts("/parts_per_day", parts)


@pytest.mark.parametrize("parts", [0, -1, MOST_A_DAY + 1, 2**31])
def test_a_ceiling_of_a_day_that_postgres_could_not_hold_is_refused(parts) -> None:
    """32 bits hold two thousand million; Postgres said so, without the field."""
    with pytest.raises(InvalidInput, match="1 to 1,000,000,000 message parts") as refusal:
        check_day_parts("/campaign/parts_per_day", parts)
    assert refusal.value.field == "/campaign/parts_per_day"
