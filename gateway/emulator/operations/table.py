"""Every action of the service and the function that performs it."""

from gateway.emulator.call import Operation
from gateway.emulator.operations import (
    account,
    configuration_sets,
    event_destinations,
    messages,
    opt_out_lists,
    phone_numbers,
    pools,
    sender_ids,
)

OPERATIONS: dict[str, Operation] = {
    **account.OPERATIONS,
    **configuration_sets.OPERATIONS,
    **event_destinations.OPERATIONS,
    **messages.OPERATIONS,
    **opt_out_lists.OPERATIONS,
    **phone_numbers.OPERATIONS,
    **pools.OPERATIONS,
    **sender_ids.OPERATIONS,
}
