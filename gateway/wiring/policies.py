"""What tenants may do, as the web process and a rebuild of Redis both need it."""

from gateway.admission.gate import AdmissionGate
from gateway.intake.policies import Policies
from gateway.intake.reader import SnapshotReader
from gateway.wiring.resources import Resources


def create_reader(shared: Resources) -> SnapshotReader:
    """Return what reads tenants from Postgres."""
    return SnapshotReader(
        shared.tenant_engine, shared.worker_engine, shared.settings.secret_key, shared.clock
    )


def create_policies(shared: Resources, reader: SnapshotReader, gate: AdmissionGate) -> Policies:
    """Return the snapshots that are projected through `gate`."""
    return Policies(
        read=reader.snapshot,
        read_recipients=reader.recipients,
        read_lists_of=reader.lists_of,
        read_override=reader.override_of,
        read_holds=reader.holds,
        gate=gate,
        clock=shared.clock,
    )
