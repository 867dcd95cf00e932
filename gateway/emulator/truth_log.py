"""The fsynced log of accepted sends: the ground truth that crash tests compare everything else with."""

import os
from pathlib import Path

import msgspec

from gateway.emulator.state.traffic_records import Message


class TruthLog:
    """Appends one JSON line per accepted send and syncs it to disk before the send is answered."""

    def __init__(self, path: Path | None) -> None:
        self._descriptor = -1
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def accepted(self, message: Message) -> None:
        """Record a send that has been accepted."""
        if self._descriptor < 0:
            return
        line = {
            "message_id": message.id,
            "accepted_ms": message.accepted_ms,
            "destination": message.destination,
            "context": message.context,
            "channel": message.channel,
            "parts": message.parts,
            "dry_run": message.dry_run,
        }
        os.write(self._descriptor, msgspec.json.encode(line) + b"\n")
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
