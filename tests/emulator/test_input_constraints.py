"""Every constraint of the model, broken by one step, for every action."""

import pytest

from gateway.emulator.model.service import load_service_model, operation_models
from gateway.emulator.operations.table import OPERATIONS
from tests.emulator.conftest import Aws
from tests.emulator.shape_values import broken

MODELS = operation_models(load_service_model())


def test_the_emulator_has_exactly_the_actions_of_the_api_reference() -> None:
    """91 actions, none invented and none left out."""
    assert OPERATIONS.keys() == MODELS.keys()
    assert len(OPERATIONS) == 91


@pytest.mark.parametrize("action", sorted(OPERATIONS))
async def test_each_broken_constraint_is_refused_and_names_its_field(shared: Aws, action: str) -> None:
    """Clients check few constraints themselves, so the service has to name what is wrong."""
    shape = MODELS[action].input_shape
    for field, constraint, payload in broken(shape, ""):
        status, answer = await shared.raw(action, payload)
        assert (status, answer["__type"]) == (400, "ValidationException"), (field, constraint, answer)
        assert field in {each["Name"] for each in answer["Fields"]}, (field, constraint, answer)
        reason = {"required": "MISSING_PARAMETER", "unknown": "UNSPECIFIED_PARAMETER_NOT_SUPPORTED"}
        assert answer["Reason"] == reason.get(constraint, "INVALID_PARAMETER")
