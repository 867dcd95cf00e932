"""What `tollgate migration cut-over` asks for, and what it refuses before it asks."""

import pytest

from tests.unit.cli.test_calling import Api, api, run  # noqa: F401 - the stand-in is a fixture


def test_shares_are_asked_for_by_country(api: Api) -> None:  # noqa: F811 - a fixture
    """However the country is written."""
    api.answers = [(200, {"countries": []})]
    done = run(api, "migration", "cut-over", "ten_1", "us=25", "GB=100")
    assert done.exit_code == 0, done.output
    path = "/v1/admin/tenants/ten_1/migration/cut-over"
    assert api.asked == [("PUT", path, {"shares": {"US": 25, "GB": 100}})]


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        (("US=25", "us=50"), "US is given twice"),
        (("US=25", "US=25"), "US is given twice"),
        (("US=²",), "a whole number of per cent"),
        (("US=",), "a whole number of per cent"),
        (("US=2.5",), "a whole number of per cent"),
    ],
)
def test_a_share_that_could_be_meant_otherwise_is_refused(
    api: Api,  # noqa: F811 - a fixture
    shares: tuple[str, ...],
    said: str,
) -> None:
    """Of two shares of one country nobody knows which was meant."""
    done = run(api, "migration", "cut-over", "ten_1", *shares)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert api.asked == []
