"""Fixtures of the emulator's own tests that these share."""

from tests.emulator.conftest import sink as recipient_of_events

sink = recipient_of_events
