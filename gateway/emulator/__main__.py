"""``python -m gateway.emulator``: the emulator alone."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

import uvloop

from gateway.emulator.options import EmulatorOptions, rates_of
from gateway.emulator.server import serve
from gateway.emulator.state.journal import StateUnusableError


def main(arguments: list[str] | None = None) -> int:
    """Run the emulator until it is told to stop."""
    logging.basicConfig(level=logging.WARNING)
    options = options_from(arguments)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(options))
    except (OSError, StateUnusableError) as refused:
        sys.stderr.write(f"the emulator cannot start: {refused}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def options_from(arguments: list[str] | None) -> EmulatorOptions:
    """Return the options that command-line arguments spell."""
    given = _parser().parse_args(arguments)
    return EmulatorOptions(
        host=given.host,
        port=given.port,
        seed=given.seed,
        state=given.state,
        truth_log=given.truth_log,
        strict=given.strict,
        requests_per_second=rates_of(given.requests),
        parts_per_second=rates_of(given.mps),
        max_spend_usd=given.max_spend_usd,
        sandbox=given.sandbox,
        base_url=given.base_url,
        latency_scale=given.latency_scale,
        sns_retry_delay_s=given.sns_retry_delay,
        signing_key_bits=given.signing_key_bits,
        sqs_endpoint=given.sqs_endpoint,
        firehose_endpoint=given.firehose_endpoint,
        logs_endpoint=given.logs_endpoint,
        credentials=dict(pair.split(":", 1) for pair in given.credential),
    )


def _parser() -> argparse.ArgumentParser:
    defaults = EmulatorOptions()
    parser = argparse.ArgumentParser(prog="gateway.emulator", description=__doc__)
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument("--port", type=int, default=defaults.port)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--state", type=Path, help="journal file that survives restarts and kills")
    parser.add_argument("--truth-log", type=Path, help="fsynced log of accepted sends")
    parser.add_argument("--strict", action="store_true", help="AWS's default rates, quotas and duties")
    parser.add_argument(
        "--requests",
        action="append",
        default=[],
        metavar="ACTION=RATE",
        help="a raised rate; * for all others",
    )
    parser.add_argument(
        "--mps", action="append", default=[], metavar="IDENTITY=RATE", help="a raised rate, in message parts"
    )
    parser.add_argument("--max-spend-usd", type=int, help="AWS-set monthly maximum per channel")
    parser.add_argument("--sandbox", action="store_true", help="send to verified numbers only")
    parser.add_argument("--base-url", help="address that clients and endpoints reach the emulator by")
    parser.add_argument("--latency-scale", type=float, default=defaults.latency_scale)
    parser.add_argument("--sns-retry-delay", type=float, default=defaults.sns_retry_delay_s, help="seconds")
    parser.add_argument(
        "--signing-key-bits",
        type=int,
        default=defaults.signing_key_bits,
        choices=(1024, 2048, 4096),
        help="size of the SNS key; a smaller one signs faster",
    )
    parser.add_argument("--sqs-endpoint", help="an AWS API that takes what topics send to queues")
    parser.add_argument("--firehose-endpoint", help="likewise for delivery streams")
    parser.add_argument("--logs-endpoint", help="likewise for log groups")
    parser.add_argument("--credential", action="append", default=[], metavar="KEY:SECRET")
    return parser


if __name__ == "__main__":
    sys.exit(main())
