"""
What an erasure leaves of a tenant, and why; every table of tenants is in here or in the plan that erases.

The plan is `tollgate_erasure_plan()`: its tables are emptied, but for messages, receipts, the audit trail,
the ledger and fees, whose rows stay without what names a person or was written by one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_BOOKS: Final = "the books: amounts and counts, which have to be kept and name nobody"
_AT_AWS: Final = "names what stands at AWS and goes on to cost until a teardown gives it back"

KEPT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tenants": "its id, model and prices, which the books refer to; key, name, slug and brands are gone",
        "tenant_erasures": "that it was erased, and when",
        "balances": _BOOKS,
        "balance_marks": _BOOKS,
        "budgets": _BOOKS,
        "insight_hours": _BOOKS,
        "protect_refusals": _BOOKS,
        "spend_counters": _BOOKS,
        "usage_batches": _BOOKS,
        "usage_days": _BOOKS,
        "campaigns": _AT_AWS,
        "configuration_sets": _AT_AWS,
        "keyword_links": _AT_AWS,
        "mps_increases": _AT_AWS,
        "opt_out_links": _AT_AWS,
        "pool_senders": _AT_AWS,
        "pools": _AT_AWS,
        "provider_messages": "AWS's ids of messages, by which a late receipt is found; they name nobody",
        "protect_associations": _AT_AWS,
        "protect_configurations": _AT_AWS,
        "sender_quotas": _AT_AWS,
        "senders": _AT_AWS,
        "tenant_routes": _AT_AWS,
        "two_way_settings": _AT_AWS,
    }
)
