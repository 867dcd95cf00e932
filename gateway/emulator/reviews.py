"""
Reviews of registrations: they move by themselves on the virtual clock, or are decided from outside.

One step takes ``review_ms``: SUBMITTED, then AWS_REVIEWING if asked for, then REVIEWING, then PROVISIONING
with an approved version, then COMPLETE.
"""

from typing import Literal

import msgspec

from gateway.emulator.clock import VirtualClock
from gateway.emulator.registration_forms import form_of
from gateway.emulator.state.records import PhoneNumber, SenderId
from gateway.emulator.state.registration_records import DeniedReason, Registration, Version
from gateway.emulator.state.store import Store, Stores
from gateway.emulator.timeline import Timeline

UNDER_REVIEW = frozenset({"SUBMITTED", "AWS_REVIEWING", "REVIEWING", "REQUIRES_AUTHENTICATION"})


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reviewer decides."""

    registration_id: str
    decision: Literal["approve", "deny", "require_authentication", "close", "revoke", "advance"]
    reasons: list[DeniedReason] = []
    """Why the whole version is denied."""
    fields: dict[str, str] = {}
    """Field path -> why this field is denied."""
    feedback: str | None = None


class Reviews:
    """Moves registrations through their review."""

    def __init__(self, clock: VirtualClock, timeline: Timeline, step_ms: int, *, automatic: bool) -> None:
        self._clock = clock
        self._timeline = timeline
        self._step_ms = step_ms
        self._automatic = automatic

    def begin(self, store: Store, registration: Registration) -> None:
        """Plan the next step of a registration that has just entered a state."""
        registration.next_step_ms = self._clock.now_ms() + self._step_ms
        store.put(registration)
        self._plan(store, registration)

    def restore(self, stores: Stores) -> None:
        """Plan the steps that a previous run left open."""
        for store in stores.all():
            for registration in store.all(Registration):
                if registration.next_step_ms:
                    self._plan(store, registration)

    def decide(self, store: Store, registration: Registration, decision: Decision) -> None:
        """Apply a decision at once."""
        version = registration.versions[-1]
        if decision.decision == "advance":
            self._step(store, registration)
        elif decision.decision == "approve":
            self._approve(store, registration)
        elif decision.decision == "deny":
            self._deny(registration, version, decision)
        elif decision.decision == "require_authentication":
            self._enter(registration, version, "REQUIRES_AUTHENTICATION", "REQUIRES_AUTHENTICATION")
            registration.next_step_ms = 0.0
        elif decision.decision == "revoke":
            self._enter(registration, version, "REVOKED", "REQUIRES_UPDATES")
        else:
            registration.status, registration.next_step_ms = "CLOSED", 0.0
        store.put(registration)

    def _plan(self, store: Store, registration: Registration) -> None:
        planned_ms = registration.next_step_ms

        def due() -> None:
            current = store.find(Registration, registration.id)
            if current is not None and current.next_step_ms == planned_ms:
                self._step(store, current)

        if self._automatic or registration.status == "PROVISIONING":
            self._timeline.at(planned_ms, due)

    def _step(self, store: Store, registration: Registration) -> None:
        version = registration.versions[-1]
        if registration.status == "PROVISIONING":
            self._complete(store, registration)
        elif version.status in {"SUBMITTED", "AWS_REVIEWING"}:
            self._enter(registration, version, "REVIEWING", "REVIEWING")
            self.begin(store, registration)
        elif version.status in UNDER_REVIEW:
            self._approve(store, registration)

    def _approve(self, store: Store, registration: Registration) -> None:
        for older in registration.versions[:-1]:
            if older.status == "APPROVED":
                self._mark(older, "ARCHIVED")
        self._enter(registration, registration.versions[-1], "APPROVED", "PROVISIONING")
        self.begin(store, registration)

    def _deny(self, registration: Registration, version: Version, decision: Decision) -> None:
        self._enter(registration, version, "DENIED", "REQUIRES_UPDATES")
        registration.next_step_ms = 0.0
        version.denied = decision.reasons or [
            DeniedReason(reason="OTHER", short="The registration was denied")
        ]
        version.feedback = decision.feedback
        for path, reason in decision.fields.items():
            if path in version.fields:
                version.fields[path].denied_reason = reason
                version.fields[path].feedback = decision.feedback

    def _complete(self, store: Store, registration: Registration) -> None:
        registration.status, registration.next_step_ms = "COMPLETE", 0.0
        for key in registration.associations:
            number = store.find(PhoneNumber, key)
            if number is not None and number.status == "PENDING":
                number.status = "ACTIVE"
                store.put(number)
        self._provision_sender_id(store, registration)
        store.put(registration)

    def _provision_sender_id(self, store: Store, registration: Registration) -> None:
        form = form_of(registration.type)
        value = registration.versions[-1].fields.get("senderIdInfo.senderId")
        if form is None or form.sender_id_country is None or value is None or value.text is None:
            return
        sender = SenderId(
            scope=store.scope,
            sender_id=value.text,
            country=form.sender_id_country,
            message_types=["TRANSACTIONAL", "PROMOTIONAL"],
            monthly_price="0.00",
            created_s=self._clock.now_s(),
            registered=True,
            registration_id=registration.id,
        )
        store.put(sender)
        if sender.key not in registration.associations:
            registration.associations.append(sender.key)

    def _enter(self, registration: Registration, version: Version, status: str, overall: str) -> None:
        self._mark(version, status)
        registration.status = overall

    def _mark(self, version: Version, status: str) -> None:
        version.status = status
        version.history_s[status] = self._clock.now_s()
