"""Whether what a change of a plan names exists: countries, and tiers with a price. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final, cast

from tenants.complaints import escape, shortened
from tenants.countries.reach import check_country, check_key
from tenants.errors import InvalidInput

_BY_COUNTRY: Final = (("country_mps",), ("rollout",), ("tier_of",), ("quiet_hours", "windows"))
"""The maps of a plan whose keys are countries."""
_LISTS: Final = (("bundle", "countries"), ("pumping", "safe_list"))
"""The lists of a plan that name countries."""
_EVERY_OTHER: Final = "*"


def check_names(changes: Mapping[str, object], merged: Mapping[str, object]) -> None:
    """
    Refuse what names nothing; what the plan says already is not looked at, and null may take anything out.

    Shapes that are wrong are left to the plan's own type.

    Args:
        changes: What the caller asked for.
        merged: The plan that it would make.

    Raises:
        InvalidInput: Names the entry by its JSON pointer.
    """
    for way in _BY_COUNTRY:
        for country in _named_keys(changes, way):
            if country != _EVERY_OTHER or way != ("tier_of",):
                check_key(f"/plan/{'/'.join(way)}", country)
    for way in _LISTS:
        for index, value in enumerate(_items(changes, way)):
            if isinstance(value, str) and not value.startswith("+"):
                check_country(f"/plan/{'/'.join(way)}/{index}", value)
    if "tiers" in changes or "tier_of" in changes:
        _check_tiers(merged)


def _check_tiers(merged: Mapping[str, object]) -> None:
    tiers, tier_of = merged.get("tiers"), merged.get("tier_of")
    if not isinstance(tiers, dict) or not isinstance(tier_of, dict):
        return
    for country, tier in cast("dict[str, object]", tier_of).items():
        if isinstance(tier, str) and tier not in tiers:
            field = f"/plan/tier_of/{escape(shortened(country))}"
            raise InvalidInput(field, "unknown_tier", f"`tiers` has no price for {shortened(tier)!r}")


def _named_keys(changes: Mapping[str, object], way: tuple[str, ...]) -> Iterator[str]:
    found = _at(changes, way)
    if isinstance(found, dict):
        entries = cast("dict[str, object]", found)
        yield from (name for name, entry in entries.items() if entry is not None)


def _items(changes: Mapping[str, object], way: tuple[str, ...]) -> list[object]:
    found = _at(changes, way)
    return cast("list[object]", found) if isinstance(found, list) else []


def _at(changes: Mapping[str, object], way: tuple[str, ...]) -> object:
    first, *rest = way
    found = changes.get(first)
    for step in rest:
        found = cast("dict[str, object]", found).get(step) if isinstance(found, dict) else None
    return found
