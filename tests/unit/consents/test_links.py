"""Signed links: whose they are is known to nobody but the tenant, and nobody else can make one."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from tenants.accounts.sealing import DataKey
from tenants.consents.links import number_behind, signed_link
from tenants.scope import TenantScope

NOW = datetime(2026, 5, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
KEY = DataKey(bytes(32))
SCOPE = TenantScope(tenant_id=uuid4())
NUMBER = "+12065550100"
LINK = signed_link(SCOPE, KEY, "confirm", NUMBER, expires_at=LATER)


def test_a_link_opens_until_it_ends_and_shows_no_number() -> None:
    """What stands in a browser's history must not name a phone."""
    assert number_behind(SCOPE, KEY, "confirm", LINK, now=NOW) == NUMBER
    assert number_behind(SCOPE, KEY, "confirm", LINK, now=LATER) is None
    assert "2065550100" not in LINK


def test_a_link_serves_its_purpose_its_mode_and_its_tenant_alone() -> None:
    """A link to confirm is not one to change preferences, and a tenant's is no other's."""
    other = TenantScope(tenant_id=uuid4())
    test = TenantScope(tenant_id=SCOPE.tenant_id, live=False)
    assert number_behind(SCOPE, KEY, "preferences", LINK, now=NOW) is None
    assert number_behind(other, KEY, "confirm", LINK, now=NOW) is None
    assert number_behind(test, KEY, "confirm", LINK, now=NOW) is None
    assert number_behind(SCOPE, DataKey(b"1" * 32), "confirm", LINK, now=NOW) is None


@given(at=st.integers(0, len(LINK) - 2), letter=st.sampled_from("ABCabc019-_"))
def test_no_letter_can_be_changed(at, letter) -> None:
    """A link is taken whole or not at all; its last letter may hold unused bits."""
    changed = LINK[:at] + letter + LINK[at + 1 :]
    assert changed == LINK or number_behind(SCOPE, KEY, "confirm", changed, now=NOW) is None


@given(st.text(max_size=500))
def test_anything_else_is_no_link(text) -> None:
    """Whatever stands in an address is answered, never raised."""
    assert number_behind(SCOPE, KEY, "confirm", text, now=NOW) is None
