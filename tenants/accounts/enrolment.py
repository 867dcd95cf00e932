"""What a tenant must look like before it may exist. Pure."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from tenants.accounts.plan import Plan, merge_plan
from tenants.countries.reach import check_country
from tenants.errors import InvalidInput

_SLUG: Final = re.compile("[a-z0-9-]{2,40}")
_MAX_NAME: Final = 200
_MODELS: Final = range(1, 7)


class NewTenant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer to be, as the operator describes it."""

    name: str
    slug: str
    """2 to 40 of `a-z`, `0-9` and `-`; unique, and part of the names made for the tenant on AWS."""
    model: int
    """1 to 6: from a tenant that only brings its own AWS account to one that is fully managed."""
    countries: list[str]
    """ISO 3166-1 alpha-2; no message goes anywhere else."""
    plan: Plan = Plan()


def check_new_tenant(new: NewTenant) -> NewTenant:
    """
    Return the tenant with its countries in order and its plan proven.

    Raises:
        InvalidInput: Names the first field that breaks a rule.
    """
    if _SLUG.fullmatch(new.slug) is None:
        raise InvalidInput("/slug", "invalid_slug", "a slug is 2 to 40 of a-z, 0-9 and -")
    return msgspec.structs.replace(
        new,
        name=check_name(new.name),
        model=check_model(new.model),
        countries=check_countries(new.countries),
        plan=merge_plan(Plan(), msgspec.to_builtins(new.plan)),
    )


def check_name(name: str) -> str:
    """Return the name without blanks around it."""
    bare = name.strip()
    if not bare or len(bare) > _MAX_NAME or not bare.isprintable():
        raise InvalidInput("/name", "invalid_name", f"a name is one line of 1 to {_MAX_NAME} characters")
    return bare


def check_model(model: int) -> int:
    """Return the model if it is one of the six."""
    if model not in _MODELS:
        raise InvalidInput("/model", "invalid_model", "a model is a number from 1 to 6")
    return model


def check_countries(countries: Sequence[str]) -> list[str]:
    """Return the countries once each, in order of their codes; every one is a country AWS sends to."""
    for index, country in enumerate(countries):
        check_country(f"/countries/{index}", country)
    return sorted(set(countries))
