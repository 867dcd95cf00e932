"""
Which plan was seen: a text that names each step by a digest, so that a later plan can say which ones differ.

    v1.<digest of what>-<digest of the whole step>.<…>

Steps that only keep are left out; a plan without any is `v1`.
"""

import hashlib
from typing import Final

import msgspec

from gateway.carrier.provision.shapes import Plan, Step

_VERSION: Final = "v1"
_SHORT: Final = 8
_LONG: Final = 16


def fingerprint_of(plan: Plan, account: str) -> str:
    """Return the text for a plan in an account."""
    return ".".join((_VERSION, *(f"{_what(step)}-{_whole(step, account)}" for step in plan.changes)))


def differences(fingerprint: str, plan: Plan, account: str) -> list[str]:
    """Return what a plan has otherwise than the one with the fingerprint; empty where nothing is."""
    if fingerprint == fingerprint_of(plan, account):
        return []
    seen = {part.partition("-")[0]: part.partition("-")[2] for part in fingerprint.split(".")[1:]}
    found: list[str] = []
    for step in plan.changes:
        before = seen.pop(_what(step), None)
        if before is None:
            found.append(f"new: {step.action} {step.kind} {step.name}")
        elif before != _whole(step, account):
            found.append(f"otherwise: {step.action} {step.kind} {step.name}")
    if seen:
        found.append(f"{len(seen)} of its steps no longer needed")
    return found or ["the order of its steps"]


def _what(step: Step) -> str:
    return _digest((step.action, step.kind, step.name))[:_SHORT]


def _whole(step: Step, account: str) -> str:
    return _digest((account, step))[:_LONG]


def _digest(of: object) -> str:
    return hashlib.sha256(msgspec.json.encode(of)).hexdigest()
