"""
Every `Reason` that AWS End User Messaging knows, and whose fault it is when a send is refused with it.

Three kinds. A fault *of the message* is final: it fails with our code and the tenant can do better. A fault
*of the sender* (a number that is not active, a configuration set that is gone) and one *of the account* (its
spend limit, its standing, its policies) say nothing about the message: the operator can mend them, so the
message waits for that until its life ends.

The reasons are those of the service's botocore model and of the AWS documentation; a test holds the table to
the model, so that a reason that is new there must be given a place here.
"""

from typing import Final

from msgspec import Struct


class OfMessage(Struct, frozen=True):
    """Asking again would be refused again."""

    code: str
    """Stable and lower-case; becomes the message's status_reason code."""
    detail: str
    """What happened and the way out, for the tenant."""


_NO_ORIGINATOR: Final = "The sender cannot reach this country; use one that serves it."
_UNFIT: Final = (
    "AWS found a value of the request wrong; if it repeats, report the message's id to the operator."
)

OF_MESSAGE: Final[dict[str, OfMessage]] = {
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": OfMessage(
        "opted_out", "The recipient is on an opt-out list at AWS; only the person can opt in again."
    ),
    "CANNOT_ADD_OPTED_OUT_NUMBER": OfMessage(
        "opted_out", "The recipient is on an opt-out list at AWS; only the person can opt in again."
    ),
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED": OfMessage(
        "destination_not_verified",
        "The AWS account is in its sandbox and the number is not verified; the operator can verify it.",
    ),
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": OfMessage(
        "protect_blocked", "A protect configuration at AWS blocks the country."
    ),
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": OfMessage(
        "protect_blocked", "A protect configuration at AWS blocks the number."
    ),
    "DESTINATION_COUNTRY_BLOCKED": OfMessage("country_blocked", "AWS does not carry texts to this country."),
    "COUNTRY_NOT_ENABLED": OfMessage("country_blocked", "The country is not enabled for the AWS account."),
    "PRICE_OVER_THRESHOLD": OfMessage(
        "price_over_max",
        "AWS's price is above the MaxPrice behind the hold; the operator's price book is behind.",
    ),
    "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY": OfMessage("no_originator", _NO_ORIGINATOR),
    "COUNTRY_CODE_MISMATCH": OfMessage("no_originator", _NO_ORIGINATOR),
    "INTERNATIONAL_SENDING_NOT_SUPPORTED": OfMessage("no_originator", _NO_ORIGINATOR),
    "SENDER_ID_NOT_SUPPORTED": OfMessage("no_originator", "The country does not support sender ids."),
    "SENDER_ID_NOT_REGISTERED": OfMessage(
        "sender_not_registered", "The sender id is not registered in this country."
    ),
    "SENDER_ID_REQUIRES_REGISTRATION": OfMessage(
        "sender_not_registered", "The sender id is not registered in this country."
    ),
    "DAILY_DESTINATION_CALL_LIMIT": OfMessage(
        "recipient_limit", "The recipient has had as many calls today as AWS allows; call tomorrow."
    ),
    # Of the message, not of the account: its texts go on.
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_MEDIA": OfMessage(
        "account_spend_limit",
        "The operator's monthly limit for MMS at AWS is reached; send a text instead, or ask the operator.",
    ),
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_VOICE": OfMessage(
        "account_spend_limit",
        "The operator's monthly limit for calls at AWS is reached; send a text instead, or ask the operator.",
    ),
    "MAXIMUM_SIZE_EXCEEDED": OfMessage("message_too_long", "AWS found the message too long; shorten it."),
    "MEDIA_TYPE_NOT_SUPPORTED": OfMessage(
        "media_type_unsupported", "The carrier does not take this kind of file; use JPEG, PNG or GIF."
    ),
    "INVALID_PARAMETER": OfMessage("carrier_refused", _UNFIT),
    "MISSING_PARAMETER": OfMessage("carrier_refused", _UNFIT),
    "INVALID_REQUEST": OfMessage("carrier_refused", _UNFIT),
    "PARAMETERS_CANNOT_BE_USED_TOGETHER": OfMessage("carrier_refused", _UNFIT),
    "UNSPECIFIED_PARAMETER_NOT_SUPPORTED": OfMessage("carrier_refused", _UNFIT),
    "FIELD_VALIDATION_FAILED": OfMessage("carrier_refused", _UNFIT),
    "CANNOT_PARSE": OfMessage("carrier_refused", _UNFIT),
    "OTHER": OfMessage("carrier_refused", _UNFIT),
}

OF_SENDER: Final[frozenset[str]] = frozenset(
    {
        # The identity, its pool or what belongs to them is not there, not ready or set up otherwise.
        "NO_ORIGINATION_IDENTITIES_FOUND", "RESOURCE_NOT_ACTIVE", "RESOURCE_NOT_ACCESSIBLE", "INVALID_ARN",
        "MESSAGE_TYPE_MISMATCH", "NUMBER_CAPABILITIES_MISMATCH", "KEYWORD_MISMATCH", "OPT_OUT_LIST_MISMATCH",
        "SELF_MANAGED_OPT_OUTS_MISMATCH", "TWO_WAY_CONFIG_MISMATCH", "EVENT_DESTINATION_MISMATCH",
        "VOICE_CAPABILITY_NOT_AVAILABLE", "CHANNEL_NOT_ENABLED", "REGISTRATION_NOT_COMPLETE",
        "PHONE_NUMBER_NOT_IN_REGISTRATION_REGION",
    }
)  # fmt: skip

OF_ACCOUNT: Final[frozenset[str]] = frozenset(
    {
        "ACCOUNT_DISABLED", "INSUFFICIENT_ACCOUNT_REPUTATION", "UNKNOWN_OPERATION",
        "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", "MONTHLY_SPEND_LIMIT_REACHED_FOR_NOTIFY",
        "DAILY_NOTIFY_TIER_MESSAGE_LIMIT",
    }
)  # fmt: skip

OF_KEYS: Final[frozenset[str]] = frozenset(
    {"AccessDeniedException", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
"""What AWS says, without a Reason, of keys that it does not take or no longer takes."""

NO_CREDENTIALS: Final = "no_credentials"
"""Ours: there was nothing to sign a request with."""

_WITHOUT_REASON: Final = OF_KEYS | {
    NO_CREDENTIALS, "ResourceNotFoundException", "ServiceQuotaExceededException", "InvalidSignatureException",
    "OptInRequired",
}  # fmt: skip
"""What AWS says of an account or a sender by its exception alone."""

NOT_OF_SENDS: Final[frozenset[str]] = frozenset(
    {
        # Conflicts of registrations, pools, protect configurations and the like.
        "CREATE_REGISTRATION_VERSION_NOT_ALLOWED", "DISCARD_REGISTRATION_VERSION_NOT_ALLOWED",
        "SUBMIT_REGISTRATION_VERSION_NOT_ALLOWED", "EDIT_REGISTRATION_FIELD_VALUES_NOT_ALLOWED",
        "REGISTRATION_ALREADY_SUBMITTED", "DISASSOCIATE_REGISTRATION_NOT_ALLOWED",
        "PHONE_NUMBER_ASSOCIATED_TO_REGISTRATION", "LAST_PHONE_NUMBER", "PHONE_NUMBER_ASSOCIATED_TO_POOL",
        "PHONE_NUMBER_NOT_ASSOCIATED_TO_POOL", "SENDER_ID_ASSOCIATED_TO_POOL", "RESOURCE_ALREADY_ASSOCIATED",
        "RESOURCE_ALREADY_EXISTS", "RESOURCE_NOT_EMPTY", "RESOURCE_DELETION_NOT_ALLOWED",
        "RESOURCE_MODIFICATION_NOT_ALLOWED", "DELETION_PROTECTION_ENABLED",
        "PROTECT_CONFIGURATION_IS_ACCOUNT_DEFAULT",
        "PROTECT_CONFIGURATION_ASSOCIATED_WITH_CONFIGURATION_SET",
        "PROTECT_CONFIGURATION_NOT_ASSOCIATED_WITH_CONFIGURATION_SET",
        "VERIFICATION_CODE_EXPIRED", "VERIFICATION_ALREADY_COMPLETE", "RCS_AGENT_ASSOCIATED_TO_POOL",
        "RCS_AGENT_ALREADY_ASSOCIATED_TO_REGISTRATION_TYPE", "POOL_ASSOCIATED_TO_NOTIFY_CONFIGURATION",
        "NOTIFY_CONFIGURATION_NOT_ACTIVE",
        # Quotas of things that a send does not make.
        "ASSOCIATIONS_PER_REGISTRATION", "CONFIGURATION_SETS_PER_ACCOUNT",
        "EVENT_DESTINATIONS_PER_CONFIGURATION_SET", "KEYWORDS_PER_PHONE_NUMBER", "KEYWORDS_PER_POOL",
        "OPT_OUT_LISTS_PER_ACCOUNT", "ORIGINATION_IDENTITIES_PER_POOL", "PHONE_NUMBERS_PER_ACCOUNT",
        "PHONE_NUMBERS_PER_REGISTRATION", "POOLS_PER_ACCOUNT", "REGISTRATION_ATTACHMENTS_CREATED_PER_DAY",
        "REGISTRATION_ATTACHMENTS_PER_ACCOUNT", "REGISTRATION_VERSIONS_CREATED_PER_DAY",
        "REGISTRATIONS_PER_ACCOUNT", "SENDER_IDS_PER_ACCOUNT", "TAGS_PER_RESOURCE",
        "VERIFIED_DESTINATION_NUMBERS_PER_ACCOUNT", "VERIFICATION_ATTEMPTS_PER_DAY",
        "PROTECT_CONFIGURATIONS_PER_ACCOUNT", "RCS_AGENTS_PER_ACCOUNT", "NOTIFY_CONFIGURATIONS_PER_ACCOUNT",
        # Faults of requests that are no sends.
        "ATTACHMENT_TYPE_NOT_SUPPORTED", "INVALID_FILTER_VALUES", "INVALID_NEXT_TOKEN",
        "INVALID_REGISTRATION_ASSOCIATION", "PHONE_NUMBER_CANNOT_BE_OPTED_IN",
        "PHONE_NUMBER_CANNOT_BE_RELEASED", "REQUESTED_SPEND_LIMIT_HIGHER_THAN_SERVICE_LIMIT",
        "TWO_WAY_TOPIC_NOT_PRESENT", "TWO_WAY_NOT_ENABLED", "TWO_WAY_NOT_SUPPORTED_IN_COUNTRY",
        "TWO_WAY_NOT_SUPPORTED_IN_REGION", "TWO_WAY_CHANNEL_NOT_PRESENT", "UNKNOWN_REGISTRATION_FIELD",
        "UNKNOWN_REGISTRATION_SECTION", "UNKNOWN_REGISTRATION_TYPE", "UNKNOWN_REGISTRATION_VERSION",
        "REGISTRATION_FIELD_CANNOT_BE_DELETED", "VERIFICATION_CODE_MISMATCH",
    }
)  # fmt: skip
"""Reasons of other actions; a send that gets one nevertheless is judged by its exception alone."""


def counted_as(reason: str) -> str:
    """Return the reason of a hold as metrics count it: one of those known here, or `other`."""
    return reason if reason in OF_SENDER or reason in OF_ACCOUNT or reason in _WITHOUT_REASON else "other"
