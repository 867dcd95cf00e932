"""A file of people's data: its owner's alone, and under its name only when it is whole."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(target: str) -> Generator[BinaryIO]:
    """Yield a file that takes the name `target` at the end of the block, or is gone if that fails."""
    part = Path(f"{target}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
