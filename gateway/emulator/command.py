"""`tollgate emulator`: AWS End User Messaging on this machine."""

import asyncio
import logging
from pathlib import Path

import click
import uvloop

from gateway.emulator.options import EmulatorOptions, rates_of
from gateway.emulator.server import serve
from gateway.emulator.state.journal import StateUnusableError


@click.command("emulator")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=4579, show_default=True, help="0 takes a free one."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Same seed, same sends: same outcomes.")
@click.option(
    "--state", type=click.Path(path_type=Path), help="Journal file that survives restarts and kills."
)
@click.option("--truth-log", type=click.Path(path_type=Path), help="One fsynced line per accepted send.")
@click.option("--strict", is_flag=True, help="AWS's request rates, MPS, quotas and registration duties.")
@click.option(
    "--requests", multiple=True, metavar="ACTION=RATE", help="Strict: a raised rate; * for all others."
)
@click.option(
    "--mps", multiple=True, metavar="IDENTITY=RATE", help="Strict: a raised rate, in message parts."
)
@click.option("--max-spend-usd", type=int, help="AWS-set monthly maximum; strict: 1.")
@click.option("--sandbox", is_flag=True, help="Send to verified and simulator numbers only.")
@click.option("--base-url", help="Address by which clients and SNS endpoints reach the emulator.")
@click.option(
    "--latency-scale", type=float, default=1.0, show_default=True, help="Times every carrier delay."
)
@click.option("--sns-retries", type=click.IntRange(0), default=3, show_default=True, help="Per delivery.")
@click.option("--sns-retry-delay", type=float, default=20.0, show_default=True, help="Seconds.")
@click.option(
    "--signing-key-bits",
    type=click.Choice(["1024", "2048", "4096"]),
    default="2048",
    show_default=True,
    help="Of the SNS key; a smaller one signs faster.",
)
@click.option("--sqs-endpoint", help="An AWS API, such as moto's, that takes what topics send to queues.")
@click.option("--firehose-endpoint", help="Likewise for delivery streams.")
@click.option("--logs-endpoint", help="Likewise for log groups.")
@click.option("--credential", multiple=True, metavar="KEY:SECRET", help="The only accepted ones; none: any.")
def command(
    *,
    sns_retry_delay: float,
    credential: tuple[str, ...],
    requests: tuple[str, ...],
    mps: tuple[str, ...],
    signing_key_bits: str,
    **given: object,
) -> None:
    """
    Run the emulator until Ctrl-C.

    Point any AWS SDK at it: `boto3.client("pinpoint-sms-voice-v2", endpoint_url="http://127.0.0.1:4579")`.
    """
    logging.basicConfig(level=logging.WARNING)
    options = EmulatorOptions(
        sns_retry_delay_s=sns_retry_delay,
        credentials=_credentials(credential),
        requests_per_second=_rates("--requests", requests),
        parts_per_second=_rates("--mps", mps),
        signing_key_bits=int(signing_key_bits),
        **given,  # type: ignore[arg-type]
    )
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(options))
    except OSError as refused:
        if refused.filename is not None:
            raise click.ClickException(f"{refused.filename} cannot be used: {refused.strerror}") from refused
        where = f"{options.host}:{options.port}"
        raise click.ClickException(
            f"the emulator cannot start on {where}: {refused.strerror or refused}; choose another --port"
        ) from refused
    except StateUnusableError as refused:
        raise click.ClickException(f"the emulator cannot start: {refused}") from refused


def _credentials(pairs: tuple[str, ...]) -> dict[str, str]:
    split = [pair.partition(":") for pair in pairs]
    if any(not secret for _, _, secret in split):
        raise click.UsageError("--credential is KEY:SECRET")
    return {key: secret for key, _, secret in split}


def _rates(option: str, pairs: tuple[str, ...]) -> dict[str, float]:
    try:
        return rates_of(pairs)
    except ValueError as error:
        raise click.UsageError(f"{option} is NAME=RATE: {error}") from error
