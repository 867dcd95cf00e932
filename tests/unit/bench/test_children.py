"""What a benchmark starts ends with it, however it ends."""

import asyncio
import sys
from pathlib import Path

from tests.harness.waiting import until

STARTS_ONE = """
import asyncio, sys
from pathlib import Path
from gateway.bench.children import child

async def main():
    async with child("http.server", "0", folder=Path(sys.argv[1])) as started:
        print(started.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_killed_benchmark_leaves_no_process_behind(tmp_path: Path) -> None:
    """One that was cut off left a sender of webhooks at work for hours."""
    benchmark = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTS_ONE, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert benchmark.stdout is not None
    pid = int(await benchmark.stdout.readline())
    benchmark.kill()
    await benchmark.wait()

    async def gone() -> bool:
        return not Path(f"/proc/{pid}").exists()  # noqa: ASYNC240 - at once

    await until(gone)
