"""The builds that scenarios break on purpose still find what they break."""

import subprocess
import sys

APPLY_ALL = """
from tests.harness.broken import BROKEN
from tests.harness.child import hasten, hasten_webhooks
hasten(6.0)
hasten_webhooks(6.0)
for each in BROKEN.values():
    each()
"""


def test_each_of_them_can_be_made():
    """In a process of its own, which nothing can mend afterwards."""
    subprocess.run([sys.executable, "-c", APPLY_ALL], check=True)
