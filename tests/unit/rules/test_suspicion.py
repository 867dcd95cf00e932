"""What makes a country be watched more closely, at the edges."""

import pytest

from gateway.admission.suspicion import Traffic, cost_level, level_of, reasons_of

USUAL = Traffic(now=1000, before=10_000, judged=200, received=160)


@pytest.mark.parametrize(
    ("cost_micros", "level"), [(0, 0), (29_999, 0), (30_000, 1), (99_999, 1), (100_000, 2), (10**9, 2)]
)
def test_a_dear_country_is_watched_more_closely(cost_micros: int, level: int) -> None:
    """A pumper goes where a text earns most."""
    assert cost_level(cost_micros) == level


@pytest.mark.parametrize(
    ("cost_micros", "reasons", "level"), [(0, 0, 0), (0, 2, 2), (50_000, 2, 3), (10**6, 2, 3)]
)
def test_levels_add_up_to_three(cost_micros: int, reasons: int, level: int) -> None:
    """The script knows no more."""
    assert level_of(cost_micros, reasons) == level


@pytest.mark.parametrize(
    ("country", "tenant", "reasons"),
    [
        (Traffic(now=200, before=100), USUAL, ("country_mix",)),
        (Traffic(now=200, before=0), USUAL, ("country_mix",)),
        (Traffic(now=200, before=500), USUAL, ()),
        (Traffic(now=49, before=0), Traffic(now=60, before=10_000), ()),
        (Traffic(now=90, before=0), USUAL, ()),
        (Traffic(now=200, before=0), Traffic(now=1000, before=499), ()),
        (Traffic(judged=20, received=8), Traffic(judged=120, received=98), ("completion",)),
        (Traffic(judged=20, received=9), Traffic(judged=120, received=99), ()),
        (Traffic(judged=19, received=0), Traffic(judged=119, received=90), ()),
        (Traffic(judged=40, received=7), Traffic(judged=40, received=7), ("completion",)),
        (Traffic(judged=40, received=8), Traffic(judged=40, received=8), ()),
        (
            Traffic(now=300, before=0, judged=30, received=0),
            Traffic(now=1000, before=10_000, judged=230, received=150),
            ("country_mix", "completion"),
        ),
        (Traffic(), Traffic(), ()),
    ],
)
def test_what_is_unusual_is_measured_against_the_tenants_own_traffic(
    country: Traffic, tenant: Traffic, reasons: tuple[str, ...]
) -> None:
    """A tenant without history has no usual mix, and few messages say nothing."""
    assert reasons_of(country, tenant) == reasons
