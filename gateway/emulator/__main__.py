"""``python -m gateway.emulator``: the emulator alone, without the rest of the command line."""

from gateway.emulator.command import command

if __name__ == "__main__":
    command(prog_name="gateway.emulator")
