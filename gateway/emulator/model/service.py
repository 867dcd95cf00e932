"""
The service model: botocore's, brought to the 91 actions of the API reference.

The installed botocore may be older or newer than the API reference that the emulator implements, so an
overlay replaces the shapes that differ between releases and adds what an older release lacks.
"""

import functools
from importlib import resources
from typing import Any

import msgspec
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

SERVICE = "pinpoint-sms-voice-v2"
TARGET_PREFIX = "PinpointSMSVoiceV2"
FOREIGN = ("Notify", "RcsAgent")
"""Words in the names of actions that newer models have and the API reference has not."""


@functools.cache
def load_service_model() -> ServiceModel:
    """Return the model of the service, restricted to the API reference's actions."""
    # Annotated because botocore is untyped.
    description: dict[str, Any] = Loader().load_service_model(SERVICE, "service-2")
    overlay = msgspec.json.decode(
        resources.files("gateway.emulator.model").joinpath("seed_overlay.json").read_bytes()
    )
    operations = {**description["operations"], **overlay["operations"]}
    kept = {name: entry for name, entry in operations.items() if not _is_foreign(name)}
    shapes = {**description["shapes"], **overlay["shapes"]}
    return ServiceModel({**description, "operations": kept, "shapes": shapes}, SERVICE)


def operation_models(service: ServiceModel) -> dict[str, OperationModel]:
    """Return every operation of the model by name."""
    return {name: service.operation_model(name) for name in service.operation_names}


def listed_errors(operation: OperationModel) -> frozenset[str]:
    """Return the exception names that the model lists for an operation."""
    return frozenset(shape.name for shape in operation.error_shapes)


def _is_foreign(name: str) -> bool:
    return any(word in name for word in FOREIGN)
