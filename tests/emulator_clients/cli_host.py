"""
Run as a program: the aws command line, loaded once, for one command after another.

Takes a JSON list of arguments per line and answers each with a line ``{"status", "printed", "complaint"}``.
Loading takes a second and more, a command a tenth of it; what is run is the command line's own ``main``.
"""

import contextlib
import io
import json
import sys

from awscli.clidriver import create_clidriver


def main() -> None:
    """Serve until the input ends."""
    driver = create_clidriver()
    for line in sys.stdin:
        printed, complaint = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complaint):
            status = driver.main(json.loads(line))
        answer = {"status": status, "printed": printed.getvalue(), "complaint": complaint.getvalue()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
