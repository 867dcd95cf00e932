"""
The emulator's own endpoints, all JSON, under ``/_emulator``.

==================  =====================================================================================
GET  /messages      ``{"data": [message], "total": n, "offset": n}``; query ``limit`` (100,000 by default and
                    at most), ``offset`` (from the oldest retained), ``destination``, ``automatic=1`` (with
                    AWS's own replies to keywords). A message has
                    ``message_id, destination, body, origination, identity, context, accepted_at`` (epoch
                    ms), ``parts, encoding, configuration_set, channel, country, message_type, price_micros,
                    fee_micros, outcome, status`` (now), ``events`` and more.
GET/POST /faults    ``{"actions": {"SendTextMessage" | "*": {throttle_rate, error_rate, unavailable_rate,
                    accept_then_error_rate, drop_after_accept_rate, drop_before_accept_rate, latency_ms,
                    latency_after_ms}}, "receipts": {delay_ms, duplicate_rate, duplicate_ids
                    ("same"|"new"|"both"), reorder, lose_rate, lose_final_rate, before_response}}``. A POST
                    replaces all faults; ``{}`` clears them. Receipt faults apply to messages accepted from
                    then on.
GET/POST /carriers  ``{"US" | "*": {"outcomes": {"DELIVERED": 0.9, "BLOCKED": 0.1}, "delay_ms": 200,
                    "price": "0.00581", "fee": "0.0025", "delivery_receipts": true}}``; every member optional.
                    A POST replaces what was set for the countries that it names.
GET/POST /clock     POST ``{"advance_seconds": 3600}``; both answer ``{"now_ms", "offset_ms"}``.
POST /reset         Forgets everything but the signing key; faults, carriers and clock too.
GET  /arrivals      ``{"data": [[ms, identity, country, parts, throttled]], "total": n}``: when sends came, on
                    a clock that is never set; query ``after`` (a total seen before). Throttled ones, too.
GET  /stats         Counters: ``actions, errors, accepted_sends, accepted_parts, dropped_responses,
                    events_published, events_delivered, events_failed, delivery_attempts, ...`` and what
                    is waiting.
POST /inbound       ``{"from", "to", "body"}``: a recipient writes to one of the account's numbers.
                    Answers the inbound message.
POST /reviews       ``{"registration_id", "decision", "reasons": [{"reason", "short", "long"}], "fields":
                    {"companyInfo.companyName": "why"}, "feedback"}``; the decision is ``approve, deny,
                    require_authentication, revoke, close`` or ``advance`` (one step of the review).
==================  =====================================================================================
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec

from gateway.emulator.control.message_list import message_list
from gateway.emulator.control.people import decide_review, receive_inbound
from gateway.emulator.control.refusal import Refusal
from gateway.emulator.control.settings import (
    advance_clock,
    carriers_in_force,
    clock_now,
    faults_in_force,
    reset,
    set_carriers,
    set_faults,
)
from gateway.emulator.control.statistics import arrivals, statistics
from gateway.emulator.wire import Request
from gateway.emulator.world import World

Handler = Callable[[World, bytes, dict[str, str]], Any]

ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "messages"): lambda world, _, query: message_list(world, query),
    ("GET", "faults"): lambda world, _body, _query: faults_in_force(world),
    ("POST", "faults"): lambda world, body, _: set_faults(world, body),
    ("GET", "carriers"): lambda world, _body, _query: carriers_in_force(world),
    ("POST", "carriers"): lambda world, body, _: set_carriers(world, body),
    ("GET", "clock"): lambda world, _body, _query: clock_now(world),
    ("POST", "clock"): lambda world, body, _: advance_clock(world, body),
    ("POST", "reset"): lambda world, _body, _query: reset(world),
    ("POST", "inbound"): lambda world, body, _: receive_inbound(world, body),
    ("POST", "reviews"): lambda world, body, _: decide_review(world, body),
    ("GET", "arrivals"): lambda world, _, query: arrivals(world, query),
    ("GET", "stats"): lambda world, _body, _query: statistics(world),
}


def answer(world: World, request: Request) -> tuple[int, bytes]:
    """Return status and JSON body of a control request."""
    name = request.path.removeprefix("/_emulator").strip("/")
    handler = ROUTES.get((request.method, name))
    if handler is None:
        known = sorted({route for _, route in ROUTES})
        status = 405 if name in known else 404
        return status, msgspec.json.encode(
            {"error": f"{request.method} {request.path} is not known", "known": known}
        )
    query = {key: values[-1] for key, values in parse_qs(request.query, keep_blank_values=True).items()}
    try:
        result = handler(world, request.body, query)
    except (Refusal, msgspec.DecodeError) as refused:
        return 422, msgspec.json.encode({"error": str(refused)})
    finally:
        world.journal.flush()
    return 200, msgspec.json.encode(result)
