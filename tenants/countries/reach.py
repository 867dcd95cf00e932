"""Which country codes mean something: those that AWS sends to. Pure."""

from tenants.complaints import escape, shortened
from tenants.countries import facts
from tenants.errors import InvalidInput


def check_country(field: str, country: str) -> None:
    """
    Refuse a code of no country, or of one that AWS does not send to.

    Raises:
        InvalidInput: It is one; `field` is the JSON pointer of what was named.
    """
    if country not in facts.by_iso() or country in facts.UNREACHABLE:
        detail = f"AWS sends to no country with the code {country[:10]!r}"
        raise InvalidInput(field, "unknown_country", detail)


def check_key(field: str, country: str) -> None:
    """
    Refuse a map's key that is no such country.

    Raises:
        InvalidInput: `field`, which is the map's pointer, and the key below it.
    """
    check_country(f"{field}/{escape(shortened(country))}", country)
