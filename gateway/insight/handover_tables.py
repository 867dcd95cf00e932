"""Which tables a hand-over holds, and why not the others: every table of tenants is in one of two lists."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

EXPORTED: Final = (
    "tenants", "api_keys", "balances", "budgets", "onboardings", "hosted_pages", "moves",
    "templates", "template_versions", "keywords", "keyword_texts",
    "senders", "pools", "pool_senders", "configuration_sets", "campaigns", "sender_quotas", "mps_increases",
    "two_way_settings", "tenant_routes",
    "registrations", "registration_versions", "registration_moves", "registration_attachments",
    "messages", "receipts", "media", "inbound_messages", "events",
    "opt_outs", "opt_out_changes", "consent_texts", "consents", "consent_records", "verified_numbers",
    "protect_configurations", "protect_associations", "protect_overrides", "protect_findings",
    "protect_refusals",
    "ledger_transfers", "monthly_fees", "usage_days", "spend_counters", "insight_hours", "alarms",
    "webhook_endpoints", "webhook_deliveries", "webhook_attempts",
    "audit_rows",
)  # fmt: skip

_QUEUE: Final = "work under way, gone once it is done"
_DESK: Final = "the operator's own notes"

LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "balance_marks": "a mark of what was told; the balance is in balances",
        "bulk_sender_ids": _QUEUE,
        "console_invitations": "secrets of signing in",
        "console_people": "secrets of signing in",
        "console_sessions": "secrets of signing in",
        "consent_asks": _QUEUE,
        "dispatch_queue": _QUEUE,
        "feedback_orders": _QUEUE,
        "form_hits": "counters of a brake, gone within a day",
        "idempotency_keys": "copies of answers, gone within a day",
        "inbound_replies": _QUEUE,
        "inbox_items": _DESK,
        "insight_marks": _QUEUE,
        "keyword_links": "what AWS was told of keyword_texts",
        "opt_out_links": _QUEUE,
        "page_codes": "codes, over within minutes, and how often they were guessed wrongly",
        "intake_customers": _DESK,
        "provider_messages": "AWS's ids of messages, which messages and receipts name",
        "provision_runs": _DESK,
        "pumping_holds": "the platform's own defence, over within days",
        "pumping_suspicions": "the platform's own defence, over within days",
        "quarantined_messages": _DESK,
        "relane_orders": _QUEUE,
        "tenant_erasures": "a mark of the operator's: a tenant that is erased has nothing to hand over",
        "short_codes": "leases under way between the operator and AWS; what came of them is in senders",
        "usage_batches": _QUEUE,
    }
)

_FEW: Final = {"registration_attachments": 10, "onboardings": 10}
"""Rows of up to some hundred KB."""
_USUAL: Final = 500


def rows_per_page(table: str) -> int:
    """Return how many rows of a table are in memory at once."""
    return _FEW.get(table, _USUAL)
