"""CPU time is the measure that noise disturbs least, so it must be complete."""

import os
import subprocess
import sys
import time

from gateway.bench.usage import cpu_seconds, memory_mb

_BURN = "import time\nend = time.process_time() + 0.15\nwhile time.process_time() < end: pass"
_PARENT = f"""
import subprocess, sys, time
subprocess.run([sys.executable, "-c", {_BURN!r}])
print("done", flush=True)
time.sleep(30)
"""


def test_children_that_have_ended_still_count() -> None:
    """Postgres backends come and go under their postmaster."""
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE) as parent:
        try:
            assert parent.stdout is not None
            parent.stdout.readline()
            assert cpu_seconds({"parent": parent.pid})["parent"] >= 0.14
        finally:
            parent.kill()


def test_own_process_grows_by_what_it_burns() -> None:
    """Ticks are 10 ms: two of them may be missing."""
    before = cpu_seconds({"own": os.getpid()})["own"]
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    assert cpu_seconds({"own": os.getpid()})["own"] - before >= 0.08


def test_process_that_is_gone_or_absent_counts_nothing() -> None:
    """A benchmark asks for processes that it has already stopped."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    assert cpu_seconds({"ended": ended.pid, "absent": None}) == {"ended": 0.0, "absent": 0.0}


def test_memory_of_a_running_interpreter_is_some_megabytes() -> None:
    """Shared pages are divided among their users, so a sum over processes is what the machine gives."""
    waits = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as bare:
        assert bare.stdout is not None
        bare.stdout.readline()
        assert 1 < memory_mb({"bare": bare.pid})["bare"] < 100
        bare.communicate(b"\n")
    assert memory_mb({"absent": None}) == {"absent": 0.0}
