"""
Everything that can be set on the emulator, with the default and the reason for it.

Points that AWS documents twice with different content, or not at all, are fields of ``Behaviour``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """Choices where AWS's documents are silent or contradict each other."""

    token_mismatch: Literal["conflict", "validation"] = "validation"  # noqa: S105 - not a password
    """Same ClientToken, other parameters: INVALID_PARAMETER, or RESOURCE_ALREADY_EXISTS."""
    token_window_s: float = 86_400.0
    """How long a ClientToken replays its answer; AWS names no window."""
    default_page_size: int = 100
    """Items on a page when MaxResults is absent."""
    max_price_scope: Literal["message", "part"] = "message"
    """The API reference compares MaxPrice with the price of the message, the user guide with one part."""
    max_price_includes_fee: bool = True
    """Whether the amount compared with MaxPrice has the carrier's fee in it."""
    long_body: Literal["accept", "invalid_message"] = "invalid_message"
    """Over 1530 GSM or 630 other characters: the guide ends them as INVALID_MESSAGE, the API takes 1600."""
    country_code_required: bool = False
    """Require IsoCountryCode where the API reference does and the SDK model does not."""
    pool_delete_with_members: bool = True
    """The API deletes a pool that has members; the guide says to remove all but one first."""
    protect_filters: Literal["any", "all"] = "any"
    """DescribeProtectConfigurations: the reference says "any of" the filters, AWS's custom is all."""
    sender_id_upper_case: bool = False
    """Upper-case sender IDs in answers, as one provider's acceptance tests saw; India is case-sensitive."""
    event_price_unit: Literal["usd", "thousandth_cent"] = "usd"
    """Unit of totalMessagePrice and totalCarrierFee in events; every published example is in dollars."""
    dry_run_message_id: bool = True
    """Whether a DryRun answers with a MessageId. It never yields events."""
    feedback_repeat: Literal["accept", "conflict"] = "accept"
    """A second PutMessageFeedback for the same message overwrites, or is refused as INVALID_REQUEST."""
    verification_code_length: int = 6
    """Digits in a verification code."""
    verification_code_ttl_s: float = 900.0
    """How long a verification code can be used."""
    opt_out_list_in_use: Literal["RESOURCE_NOT_EMPTY", "RESOURCE_DELETION_NOT_ALLOWED"] = (
        "RESOURCE_DELETION_NOT_ALLOWED"
    )
    """Reason for deleting an opt-out list that a number or pool uses."""
    list_expired_overrides: bool = True
    """Whether expired number overrides stay in the list; they are ignored at send time either way."""
    keyword_defaults_editable: bool = True
    """HELP and STOP: the message may be changed (seen in use), or not at all (API reference)."""
    final_success_rate: float = 0.0
    """Share of delivered messages whose SUCCESSFUL event already says isFinal, as AWS warns may happen."""


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on how many resources an account may own. AWS's defaults apply with ``--strict``."""

    phone_numbers: int = 100_000
    pools: int = 100_000
    configuration_sets: int = 100_000
    opt_out_lists: int = 100_000
    sender_ids: int = 100_000
    registrations: int = 100_000
    registration_attachments: int = 100_000
    verified_numbers: int = 100_000
    protect_configurations: int = 100_000
    identities_per_pool: int = 100
    keywords_per_identity: int = 30
    event_destinations_per_set: int = 5
    tags_per_resource: int = 200
    associations_per_registration: int = 100
    verification_codes_per_day: int = 1_000
    registration_versions_per_day: int = 1_000
    attachments_per_day: int = 10_000
    carrier_lookups_per_day: int = 1_000_000


STRICT_QUOTAS = Quotas(
    phone_numbers=25,
    pools=25,
    configuration_sets=25,
    opt_out_lists=25,
    sender_ids=200,
    registrations=25,
    registration_attachments=25,
    verified_numbers=10,
    protect_configurations=25,
    verification_codes_per_day=20,
    registration_versions_per_day=20,
    attachments_per_day=50,
    carrier_lookups_per_day=10_000,
)
"""AWS's default account quotas (adjustable there)."""


class EmulatorOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How one emulator runs."""

    host: str = "127.0.0.1"
    port: int = 4579
    """0 takes a free port."""
    seed: int = 0
    """Same seed and same sends: same outcomes, whatever their order over different recipients."""
    state: Path | None = None
    """Journal file; None keeps everything in memory only."""
    truth_log: Path | None = None
    """File that gets one fsynced JSON line per accepted send, for crash tests."""
    strict: bool = False
    """AWS's request rates, messages per second, quotas and registration duties."""
    requests_per_second: dict[str, float] = {}
    """Strict mode's rate of single actions, or of every other one as ``*``: what a support case raises."""
    parts_per_second: dict[str, float] = {}
    """Strict mode's rate of single identities in each country, by number or sender id; likewise."""
    base_url: str | None = None
    """Address that clients and SNS endpoints use to reach the emulator; default http://host:port."""
    credentials: dict[str, str] = {}
    """Access key to secret key. Empty: any signature is taken."""
    account_id: str = "123456789012"
    default_region: str = "us-east-1"
    sandbox: bool = False
    """ACCOUNT_TIER SANDBOX: only verified or simulator destinations."""
    account_disabled: bool = False
    """Every send and request answers AccessDeniedException ACCOUNT_DISABLED."""
    max_spend_usd: int | None = None
    """AWS-set monthly maximum per channel; None is 1 in strict mode, else 1,000,000."""
    quotas: Quotas | None = None
    """None: no limits worth the name, or AWS's defaults in strict mode."""
    behaviour: Behaviour = Behaviour()
    latency_scale: float = 1.0
    """Multiplies every carrier delay; 0 delivers at once."""
    status_change_ms: int = 0
    """How long numbers stay PENDING or ASSOCIATING and pools CREATING or DELETING."""
    review_ms: int = 1_000
    """Emulated time each step of a registration review takes."""
    automatic_reviews: bool = True
    """Registrations are approved by themselves; False leaves them to ``POST /_emulator/reviews``."""
    registration_required: bool | None = None
    """Toll-free and 10DLC numbers stay PENDING until registered; None: only in strict mode."""
    sns_retries: int = 3
    sns_retry_delay_s: float = 20.0
    sns_timeout_s: float = 15.0
    sns_connections: int = 64
    """Deliveries in flight at once."""
    signing_key_bits: int = 2048
    """SNS uses 2048; 1024 makes signing four times cheaper in benchmarks."""
    firehose_endpoint: str | None = None
    """Where KinesisFirehose destinations deliver (an AWS-API endpoint); None drops and counts them."""
    logs_endpoint: str | None = None
    """Where CloudWatchLogs destinations deliver."""
    sqs_endpoint: str | None = None
    """Where sqs subscriptions of a topic deliver; None drops and counts them: nothing ever leaves for AWS."""
    retained_messages: int = 250_000
    """Messages kept for ``GET /_emulator/messages``; older finished ones leave memory (1.5 KB each)."""
    check_outputs: bool = False
    """Hold every answer to the model as well; for tests of the emulator itself."""
    max_body_bytes: int = 4_194_304

    def effective_quotas(self) -> Quotas:
        """Return the quotas in force."""
        if self.quotas is not None:
            return self.quotas
        return STRICT_QUOTAS if self.strict else Quotas()

    def effective_max_spend_usd(self) -> int:
        """Return the AWS-set monthly maximum per channel in whole dollars."""
        if self.max_spend_usd is not None:
            return self.max_spend_usd
        return 1 if self.strict else 1_000_000

    def needs_registration(self) -> bool:
        """Return whether toll-free and 10DLC numbers wait for a registration."""
        return self.strict if self.registration_required is None else self.registration_required


def rates_of(pairs: Iterable[str]) -> dict[str, float]:
    """
    Return the rates that ``NAME=RATE`` spell.

    Raises:
        ValueError: A pair has no name, or its rate is not a number above zero.
    """
    rates: dict[str, float] = {}
    for pair in pairs:
        name, _, text = pair.rpartition("=")
        rate = float(text)
        if not name or not rate > 0:
            raise ValueError(f"{pair!r} is not NAME=RATE with a rate above zero")
        rates[name] = rate
    return rates
