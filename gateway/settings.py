"""
Every setting, in one typed object, read from the environment once, by the command that starts a process.

Three names carry no prefix because other tools know them: DATABASE_URL, REDIS_URL, AWS_ENDPOINT_URL. All
others begin with TOLLGATE_. A secret may come from a file: TOLLGATE_SECRET_KEY_FILE names one.
"""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, cast, get_args, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from gateway.errors import ConfigurationError
from tenants.rates import RequestRate

_UNPREFIXED = {
    "database_url": "DATABASE_URL",
    "redis_url": "REDIS_URL",
    "aws_endpoint_url": "AWS_ENDPOINT_URL",
}
_SECRETS = frozenset(
    {"operator_key", "secret_key", "database_url", "redis_url", "captcha_secret", "oidc_client_secret"}
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_MIN_SECRET_LENGTH = 16
_LEAST_KEPT_DAYS = 31
_SCHEMES: Final = {
    "database_url": ("postgresql", "postgres"),
    "redis_url": ("redis", "rediss", "redis+cluster", "rediss+cluster", "unix"),
    "aws_endpoint_url": ("http", "https"),
    "public_url": ("https", "http"),
}
_FIELD: Final = re.compile(r"`\$\.(\w+)")
"""Where msgspec says what it could not take."""

Port: TypeAlias = Annotated[int, Meta(ge=0, le=65_535)]
Count: TypeAlias = Annotated[int, Meta(ge=1, le=100_000)]
"""With none of it, what it is for would stand still without a word."""

Way: TypeAlias = Literal["lean", "aioboto3"]
"""How requests to AWS are made: by hand in aioboto3's form, or by aioboto3 itself."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a process needs to know before it starts. Units are in the names."""

    database_url: str
    """PostgreSQL 15 or newer, `postgresql://user:password@host:port/name`."""
    redis_url: str
    """
    Redis 6.2 or newer, or Valkey, `redis://…` or `rediss://…`; a cluster by any of its nodes, with
    `rediss+cluster://…` or `?cluster=true`. Never a cache shared with others: eviction must be off.
    """
    operator_key: str
    """Bearer token of `/v1/admin`; at least 16 characters."""
    secret_key: str
    """Wraps tenant data keys and webhook secrets, and keys the hashes of API keys; at least 16 characters."""
    aws_endpoint_url: str | None = None
    """Another endpoint for every AWS call, such as the emulator's; None for AWS itself."""
    aws_region: str = "us-east-1"
    aws_sends_per_second: RequestRate = 1.0
    """SendTextMessage requests per second of the first AWS account; AWS starts every account at 1."""
    aws_media_bucket: str | None = None
    """S3 bucket of the first AWS account in which files for MMS are staged; None for MMS without files."""
    aws_receipt_queue: str | None = None
    """URL of an SQS queue that brings the first AWS account's events; None where SNS posts them itself."""
    queue_pollers: Count = 4
    """Long polls that a receipts process has open at each queue; one takes about 500 events a second."""
    queue_hidden_s: Annotated[int, Meta(ge=1, le=43_200)] = 30
    """How long SQS hides from others what a receipts process has in hand; renewed while it has it."""
    public_url: str = "http://127.0.0.1:8080"
    """Where AWS and browsers reach the API process; also the base of the problem pages."""
    host: str = "127.0.0.1"
    port: Port = 8080
    log_format: Literal["json", "console"] = "json"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    webhook_allow_cidrs: tuple[str, ...] = ()
    """Networks otherwise refused as webhook targets, for example `127.0.0.0/8` on a developer's machine."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks of the operator's own proxies, whose `X-Forwarded-For` tells pages who visits."""
    captcha: Literal["turnstile", "hcaptcha", "recaptcha"] | None = None
    """Whose puzzle the hosted forms show; None for none. It needs the two settings below."""
    captcha_site_key: str | None = None
    """The public key of the puzzle, from its provider."""
    captcha_secret: str | None = None
    """The secret with which the provider is asked whether a person solved it."""
    captcha_verify_url: str | None = None
    """Another `siteverify` than the provider's own, such as a relay of yours."""
    oidc_issuer: str | None = None
    """OpenID provider of the console's people, as it calls itself: `https://login.example.com`."""
    oidc_client_id: str | None = None
    """How the provider knows this gateway."""
    oidc_client_secret: str | None = None
    """Given by the provider; register `{TOLLGATE_PUBLIC_URL}/console/identity/callback` there."""
    oidc_name: str = "single sign-on"
    """What people call the provider: the button says "Sign in with …"."""
    sns_cert_origins: tuple[str, ...] = ()
    """Origins besides AWS's own whose SNS certificates are trusted, for example the emulator's."""
    database_pool_size: Count = 10
    intake_flushers: Count = 2
    """Connections that group-commit accepted sends, per API process."""
    intake_queue_size: Count = 2000
    """Sends that may wait for a commit before the API answers 503."""
    carrier: Way = "lean"
    """How AWS is called: by `aioboto3`, or `lean`: the same request, signed by hand at a third of its CPU."""
    dispatch_in_flight: Count = 256
    """AWS calls under way at once per dispatcher; also the size of the HTTP pool."""
    reconcile_every_s: Annotated[float, Meta(ge=1, le=86_400)] = 3600.0
    """Between two scheduled proofs that ledger, balances, messages, AWS's prices and usage agree."""
    unknown_wait_s: Annotated[float, Meta(ge=0, le=259_200)] = 90.0
    """How long an attempt with no answer waits for a receipt before its policy decides."""
    fail_over_after: Count = 3
    """Connections of one message that may fail before it goes to another account or Region; at least 1."""
    bodies_kept_days: int = 30
    """Days after its end at which a message's text is taken out, 0 to 90; OTPs have their own time."""
    otp_bodies_kept_hours: int = 24
    """The same in hours for OTPs, 0 to 2160. Below 24, an Idempotency-Key may answer a replay without it."""
    inbound_kept_days: int = 90
    """Days after which texts that came in are deleted; the ledger of opt-outs is kept."""
    events_kept_days: int = 90
    """Days after which months of events and of their deliveries to webhooks are dropped; at least 31.
    Messages, receipts and the ledger are kept."""
    webhook_attempts_kept_days: int = 31
    """Days after which months of the single attempts of deliveries are dropped; at least 31."""
    webhook_in_flight: Count = 64
    """Posts that a sender has under way where receivers are quick."""
    webhook_timeout_s: Annotated[float, Meta(ge=1, le=25)] = 15.0
    """For one post from end to end; another sender takes what lasts longer than its lease."""
    stop_within_s: Annotated[float, Meta(ge=1, le=3600)] = 25.0
    """What a process that is told to stop may take to finish what it has begun, while Postgres is away, too;
    below the 30 s after which orchestrators usually kill."""
    fault_injection: bool = False
    """Lets TOLLGATE_FAULTPOINT take effect; for tests, and refused where AWS itself is called."""
    faultpoint: str | None = None
    """Where this process dies, stops, waits or fails, for tests: `worker.after_mark:kill`."""


def read_settings(environment: Mapping[str, str], **defaults: Any) -> Settings:
    """
    Return the settings that the environment gives, over `defaults`.

    Raises:
        ConfigurationError: A required setting is missing, unknown, or not of its type; the text names it.
    """
    values: dict[str, Any] = {key: value for key, value in defaults.items() if value is not None}
    hints = get_type_hints(Settings)
    for field in msgspec.structs.fields(Settings):
        name = environment_name(field.name)
        text = _text(environment, name)
        if text is not None:
            values[field.name] = _split(text) if get_args(hints[field.name])[1:] == (...,) else text
    _refuse_unknown(environment)
    missing = [
        environment_name(field.name)
        for field in msgspec.structs.fields(Settings)
        if field.required and field.name not in values
    ]
    if missing:
        raise ConfigurationError(f"set {', '.join(missing)}; `tollgate doctor` explains each setting")
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        found = _FIELD.search(str(error))
        name = "a setting" if found is None else environment_name(found[1])
        raise ConfigurationError(f"{name} has the wrong form: {error}") from error
    _check(settings)
    return msgspec.structs.replace(settings, public_url=settings.public_url.rstrip("/"))


def environment_name(field: str) -> str:
    """Return the environment variable that sets `field`."""
    return _UNPREFIXED.get(field, f"TOLLGATE_{field.upper()}")


def to_environment(settings: Settings) -> dict[str, str]:
    """Return the environment that makes a child process read these settings again."""
    environment: dict[str, str] = {}
    for field, value in msgspec.structs.asdict(settings).items():
        if value is not None:
            listed = cast("tuple[str, ...]", value) if isinstance(value, tuple) else (str(value),)
            environment[environment_name(field)] = ",".join(listed)
    return environment


def redacted(settings: Settings) -> dict[str, str]:
    """Return the settings for a person's eyes, with each secret replaced."""
    shown = to_environment(settings)
    return {
        name: "(set)" if any(environment_name(secret) == name for secret in _SECRETS) else value
        for name, value in shown.items()
    }


def _text(environment: Mapping[str, str], name: str) -> str | None:
    if (text := environment.get(name)) is not None and text != "":
        return text
    if (path := environment.get(f"{name}_FILE")) is not None:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{name}_FILE cannot be read: {error}") from error
    return None


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    """A misspelt setting must not become a silent default; the command line's own two names are known."""
    known = {environment_name(field.name) for field in msgspec.structs.fields(Settings)}
    known |= {f"{name}_FILE" for name in known} | {"TOLLGATE_API_URL", "TOLLGATE_API_KEY"}
    unknown = sorted(name for name in environment if name.startswith("TOLLGATE_") and name not in known)
    if unknown:
        raise ConfigurationError(f"unknown setting {unknown[0]}; `tollgate doctor` lists those that exist")


def _check(settings: Settings) -> None:
    _check_faults(settings)
    for field, schemes in _SCHEMES.items():
        _check_url(field, getattr(settings, field), schemes)
    if settings.captcha is not None and not (settings.captcha_site_key and settings.captcha_secret):
        raise ConfigurationError(
            "TOLLGATE_CAPTCHA needs TOLLGATE_CAPTCHA_SITE_KEY and TOLLGATE_CAPTCHA_SECRET of the provider"
        )
    _check_identity(settings)
    for field in ("operator_key", "secret_key"):
        if len(getattr(settings, field)) < _MIN_SECRET_LENGTH:
            raise ConfigurationError(
                f"{environment_name(field)} needs at least {_MIN_SECRET_LENGTH} characters"
            )
    _check_kept(settings)
    for field in ("webhook_allow_cidrs", "trusted_proxies"):
        for network in getattr(settings, field):
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ConfigurationError(f"{environment_name(field)}: {error}") from error


def _check_url(field: str, url: str | None, schemes: tuple[str, ...]) -> None:
    """Refuse what no client could connect to, without repeating it: it may hold a password."""
    if url is None:
        return
    name = environment_name(field)
    try:
        parts = urlsplit(url)
        for host in parts.netloc.rpartition("@")[2].split(","):  # Postgres may be one of several
            _ = urlsplit(f"//{host}").port
    except ValueError as error:
        raise ConfigurationError(
            f"{name} is no URL: its host is `name` or `name:port`, and in a password `/`, `?`, `#`, `[` and "
            "`@` are written %2F, %3F, %23, %5B and %40"
        ) from error
    if parts.scheme not in schemes:
        raise ConfigurationError(f"{name} begins with {' or '.join(f'{each}://' for each in schemes)}")
    if schemes[0].startswith("http") and (not parts.hostname or parts.query or parts.fragment):
        raise ConfigurationError(f"{name} names a host, as https://sms.example.com does, and no query")


def _check_kept(settings: Settings) -> None:
    for field, most in (("bodies_kept_days", 90), ("otp_bodies_kept_hours", 90 * 24)):
        if not 0 <= getattr(settings, field) <= most:
            raise ConfigurationError(f"{environment_name(field)} is 0 to {most}")
    for field in ("events_kept_days", "webhook_attempts_kept_days"):
        if getattr(settings, field) < _LEAST_KEPT_DAYS:
            raise ConfigurationError(
                f"{environment_name(field)} needs at least {_LEAST_KEPT_DAYS}: the feed reaches a month back"
            )


def _check_identity(settings: Settings) -> None:
    given = (settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret)
    if not any(given):
        return
    if not all(given):
        raise ConfigurationError(
            "set TOLLGATE_OIDC_ISSUER, …_OIDC_CLIENT_ID and …_OIDC_CLIENT_SECRET together, or none of them"
        )
    parts = urlsplit(settings.oidc_issuer or "")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ConfigurationError("TOLLGATE_OIDC_ISSUER begins with https://")


def _check_faults(settings: Settings) -> None:
    """A fault in production is never planned."""
    if settings.faultpoint is not None and not settings.fault_injection:
        raise ConfigurationError("TOLLGATE_FAULTPOINT is for tests: remove it")
    if settings.fault_injection and settings.aws_endpoint_url is None:
        raise ConfigurationError(
            "TOLLGATE_FAULT_INJECTION is for tests: remove it, or set AWS_ENDPOINT_URL to an emulator"
        )
