"""What a call costs by its length."""

import pytest

from tenants.credits.settlement import for_minutes


@pytest.mark.parametrize(
    ("call_seconds", "charged"),
    [(None, 90), (0, 0), (1, 30), (60, 30), (61, 60), (180, 90), (181, 90), (86_400, 90)],
)
def test_begun_minutes_are_charged_and_never_more_than_were_held(
    call_seconds: int | None, charged: int
) -> None:
    """Three minutes were held at 30 each; a call that nobody took costs nothing."""
    assert for_minutes(90, minutes=3, call_seconds=call_seconds) == charged
