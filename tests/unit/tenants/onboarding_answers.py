"""Answers of a tenant that has nothing left to say."""

from typing import Any

import msgspec

from tenants.onboarding.steps import Answers

COMPLETE: dict[str, Any] = {
    "profile": {
        "legal_name": "Acme Incorporated",
        "brand": "Acme",
        "website": "https://acme.example",
        "tax_id": "12-3456789",
        "legal_form": "private_profit",
        "vertical": "Retail",
        "address": {
            "line1": "1 Main Street",
            "city": "Springfield",
            "region": "IL",
            "postal_code": "62701",
            "country": "US",
        },
        "contact": {
            "first_name": "Ann",
            "last_name": "Archer",
            "email": "ann@acme.example",
            "phone": "+12175550100",
        },
        "support": {"email": "help@acme.example", "phone": "+12175550101"},
    },
    "relationship": {"brand_seen": "tenant", "opt_in_through": "tenant", "opt_in_shared": False},
    "use_cases": {
        "programmes": [
            {
                "use_case": "delivery_notification",
                "type": "transactional",
                "description": "Acme tells customers who ordered in its shop when their parcel arrives.",
                "samples": ["Acme: your parcel 12345 arrives tomorrow. Reply STOP to opt out."],
            }
        ]
    },
    "reach": {"countries": ["US", "GB"], "messages_per_month": 20_000},
    "senders": {
        "choices": [
            {"country": "US", "type": "TOLL_FREE"},
            {"country": "GB", "type": "SENDER_ID", "value": "ACME"},
        ]
    },
    "legal": {"hosted": True},
    "opt_in": {
        "mode": "web_form",
        "wording": "I agree to get texts about my orders from Acme. Message and data rates may apply.",
        "url": "https://acme.example/sms",
    },
}


def answers(**changes: Any) -> Answers:
    """Return the answers with some changed; None leaves one out."""
    given = {name: value for name, value in (COMPLETE | changes).items() if value is not None}
    return msgspec.convert(given, Answers)
