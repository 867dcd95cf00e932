"""What may be written into a protect configuration. Pure."""

from collections.abc import Mapping
from typing import Final

from tenants.countries import facts
from tenants.errors import InvalidInput
from tenants.protection.precedence import CountryStatus

MAX_CHANGES: Final = 300
"""AWS takes as many countries in one UpdateProtectConfigurationCountryRuleSet."""
_MAX_NAME: Final = 64


def check_name(name: str) -> str:
    """
    Return a configuration's name without blanks around it.

    Raises:
        InvalidInput: It is empty, too long or not one line.
    """
    bare = name.strip()
    if not bare or len(bare) > _MAX_NAME or not bare.isprintable():
        raise InvalidInput("/name", "invalid_name", f"a name is one line of 1 to {_MAX_NAME} characters")
    return bare


def check_changes(changes: Mapping[str, CountryStatus | None]) -> Mapping[str, CountryStatus | None]:
    """
    Return rules whose every country is one that AWS sends to.

    Raises:
        InvalidInput: One is not, or there are none or too many.
    """
    if not 0 < len(changes) <= MAX_CHANGES:
        raise InvalidInput("/rules", "invalid_rules", f"name 1 to {MAX_CHANGES} countries")
    for country in changes:
        if country not in facts.by_iso():
            detail = f"AWS knows no country with the code {country[:10]!r}"
            raise InvalidInput(f"/rules/{country[:10]}", "unknown_country", detail)
    return changes
