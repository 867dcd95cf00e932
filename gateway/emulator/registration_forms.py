"""The registration forms: types, sections, fields and what each type can be associated with."""

import msgspec


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One registration type."""

    type: str
    number_types: frozenset[str]
    countries: frozenset[str]

    def accepts_number(self, number_type: str, country: str) -> bool:
        """Return whether numbers of a kind are registered with this form."""
        return number_type in self.number_types and country in self.countries


def form_of(registration_type: str) -> Form | None:
    """Return the form of a registration type."""
    return None
