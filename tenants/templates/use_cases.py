"""What a template is for, in the words of senders' registrations."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal

MessageType = Literal["otp", "transactional", "promotional"]
UseCase = Literal[
    "otp",
    "account_notification",
    "security_alert",
    "fraud_alert",
    "delivery_notification",
    "appointment_reminder",
    "customer_care",
    "public_service_announcement",
    "higher_education",
    "polling",
    "marketing",
]
"""
AWS's use cases of 10DLC and toll-free registrations, less the collective ones (MIXED, LOW_VOLUME): a template
is for one thing. https://docs.aws.amazon.com/sms-voice/latest/userguide/registrations-10dlc-register-campaign.html
"""

OF_TYPE: Final[Mapping[MessageType, frozenset[UseCase]]] = MappingProxyType(
    {
        "otp": frozenset({"otp"}),
        "transactional": frozenset(
            {
                "account_notification",
                "security_alert",
                "fraud_alert",
                "delivery_notification",
                "appointment_reminder",
                "customer_care",
                "public_service_announcement",
                "higher_education",
                "polling",
            }
        ),
        "promotional": frozenset({"marketing", "polling"}),
    }
)
"""Which use cases a message of a type may have."""

USUAL: Final[Mapping[MessageType, UseCase]] = MappingProxyType(
    {"otp": "otp", "transactional": "account_notification", "promotional": "marketing"}
)
"""For a template that names none."""

RegisteredUse = (
    UseCase
    | Literal[
        "2FA",
        "TWO_FACTOR_AUTHENTICATION",
        "ACCOUNT_NOTIFICATION",
        "SECURITY_ALERT",
        "FRAUD_ALERT",
        "DELIVERY_NOTIFICATION",
        "CUSTOMER_CARE",
        "PUBLIC_SERVICE_ANNOUNCEMENT",
        "HIGHER_EDUCATION",
        "POLLING_VOTING",
        "MARKETING",
        "MIXED",
        "LOW_VOLUME",
    ]
)
"""A sender's registered use in our words or AWS's; another would never fit a message."""

_REGISTERED_AS: Final[Mapping[str, UseCase]] = MappingProxyType(
    {
        "2FA": "otp",
        "TWO_FACTOR_AUTHENTICATION": "otp",
        "ACCOUNT_NOTIFICATION": "account_notification",
        "SECURITY_ALERT": "security_alert",
        "FRAUD_ALERT": "fraud_alert",
        "DELIVERY_NOTIFICATION": "delivery_notification",
        "CUSTOMER_CARE": "customer_care",
        "PUBLIC_SERVICE_ANNOUNCEMENT": "public_service_announcement",
        "HIGHER_EDUCATION": "higher_education",
        "POLLING_VOTING": "polling",
        "MARKETING": "marketing",
    }
)
_FOR_ANYTHING: Final = frozenset({"MIXED", "LOW_VOLUME"})


def registered(names: Iterable[str]) -> frozenset[str]:
    """
    Return a sender's registered use cases in our words, whether they are kept in AWS's or in ours.

    Empty, which stands for anything, where one of them is a collective registration.
    """
    given = frozenset(names)
    return (
        frozenset() if given & _FOR_ANYTHING else frozenset(_REGISTERED_AS.get(each, each) for each in given)
    )
