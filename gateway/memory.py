"""What a process tells the garbage collector once it is built."""

import gc
from typing import Final

_ROUND_AFTER_OBJECTS: Final = 10_000


def settle_memory() -> None:
    """
    Take what was built by now out of the garbage collector's rounds, and let it come round less often.

    A full round over the modules, routes and metadata of a process takes 100 ms, in which nobody is answered
    and no text leaves. What requests and messages leave behind is freed by counting; few cycles remain.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ROUND_AFTER_OBJECTS, 20, 20)
