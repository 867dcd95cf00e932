"""The table of registrations to be made: what is no table is said so."""

from types import SimpleNamespace

import pytest

from tenants.errors import InvalidInput
from tenants.registrations.importing import read


def test_what_is_no_csv_names_its_line() -> None:
    """In place of a traceback: a cell may have 131,072 characters."""
    form = SimpleNamespace(fields=())
    with pytest.raises(InvalidInput, match="line 2 is no CSV") as refused:
        read("company_name\n" + "B" * 131_073 + "\n", form)  # type: ignore[arg-type]  # a form without fields
    assert (refused.value.field, refused.value.code) == ("/csv", "not_csv")
