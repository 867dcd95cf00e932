"""Log lines of one turn of the loop are written together, and none is lost."""

import asyncio
import io

from gateway.telemetry.lines import LineLogger


class Stream(io.BytesIO):
    """Counts what the kernel would be asked."""

    writes = 0

    def write(self, data: bytes) -> int:
        """Write and count."""
        self.writes += 1
        return super().write(data)


async def test_lines_of_one_turn_are_one_write() -> None:
    """A crowd answered by one commit is logged by one call."""
    stream = Stream()
    logger = LineLogger(stream)
    for line in (b"0", b"1", b"2"):
        logger.info(line)
    assert stream.writes == 0
    await asyncio.sleep(0)
    assert (stream.getvalue(), stream.writes) == (b"0\n1\n2\n", 1)
    logger.info(b"3")
    await asyncio.sleep(0)
    assert stream.getvalue().endswith(b"3\n")


async def test_a_warning_goes_out_at_once_behind_what_waits() -> None:
    """It may be the last thing that a process says."""
    stream = Stream()
    logger = LineLogger(stream)
    logger.info(b"first")
    logger.warning(b"second")
    assert stream.getvalue() == b"first\nsecond\n"


def test_without_a_loop_a_line_is_written_at_once() -> None:
    """Commands and threads have no turn to wait for."""
    stream = Stream()
    LineLogger(stream).info(b"now")
    assert stream.getvalue() == b"now\n"
