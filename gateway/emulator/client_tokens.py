"""ClientToken: the same call again gets the answer of the first one."""

import hashlib
from typing import Any

import msgspec

from gateway.emulator.call import Call, Operation
from gateway.emulator.errors import conflict, validation
from gateway.emulator.state.records import ReplayedCall

SWEEP_ABOVE = 10_000
"""Kept answers before the oldest are looked at for expiry."""


def replayed_or(call: Call, operation: Operation) -> bytes:
    """Return the answer kept for the call's token, or run the operation and keep its answer."""
    token = call.input.get("ClientToken")
    if token is None:
        return msgspec.json.encode(operation(call))
    fingerprint = _fingerprint(call.input)
    kept = call.store.find(ReplayedCall, f"{call.action}/{token}")
    window_s = call.world.options.behaviour.token_window_s
    if kept is not None and call.now_s - kept.at_s < window_s:
        if kept.fingerprint != fingerprint:
            raise _mismatch(call, token)
        return kept.answer.encode()
    body = msgspec.json.encode(operation(call))
    call.store.put(
        ReplayedCall(
            scope=call.store.scope,
            action=call.action,
            token=token,
            fingerprint=fingerprint,
            answer=body.decode(),
            at_s=call.now_s,
        )
    )
    _sweep(call, window_s)
    return body


def _mismatch(call: Call, token: str) -> Exception:
    if call.world.options.behaviour.token_mismatch == "conflict":  # noqa: S105 - not a password
        return conflict("RESOURCE_ALREADY_EXISTS", "account", token)
    return validation(
        "INVALID_PARAMETER", "The ClientToken was used before with other parameters", "ClientToken"
    )


def _fingerprint(payload: dict[str, Any]) -> str:
    return hashlib.blake2b(msgspec.json.encode(payload, order="sorted"), digest_size=16).hexdigest()


def _sweep(call: Call, window_s: float) -> None:
    oldest = call.store.oldest(ReplayedCall)
    if oldest is None or call.store.count(ReplayedCall) <= SWEEP_ABOVE:
        return
    if call.now_s - oldest.at_s >= window_s:
        call.store.remove(oldest)
