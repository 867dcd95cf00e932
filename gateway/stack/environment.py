"""The settings of a stack on this machine, and the environment its processes see."""

from collections.abc import Mapping
from typing import Final

from gateway.settings import Settings, to_environment

_NOWHERE: Final = "/dev/null"
_OURS: Final = ("DATABASE_URL", "REDIS_URL")
_LOOPBACK: Final = "127.0.0.1,localhost,::1"
EMULATOR_SENDS_PER_SECOND: Final = 500.0
EMULATOR_MEDIA_BUCKET: Final = "tollgate-media"
LOOPBACK_NETWORKS: Final = ("127.0.0.0/8", "::1/128")


def children_environment(
    inherited: Mapping[str, str], settings: Settings, *, emulated: bool
) -> dict[str, str]:
    """
    Return what a child process sees: the settings, and nothing that would steer it elsewhere.

    With the emulator in AWS's place no real credential reaches a child, so none can be used by mistake.
    """
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith("TOLLGATE_")
        and name not in _OURS
        and not (emulated and name.startswith("AWS_"))
    }
    return kept | to_environment(settings) | (_EMULATED if emulated else {}) | _unproxied(inherited)


_EMULATED: Final = {
    "AWS_ACCESS_KEY_ID": "emulator",
    "AWS_SECRET_ACCESS_KEY": "emulator",
    "AWS_CONFIG_FILE": _NOWHERE,
    "AWS_SHARED_CREDENTIALS_FILE": _NOWHERE,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def _unproxied(inherited: Mapping[str, str]) -> dict[str, str]:
    """A proxy of the machine's must not be asked for what runs on the machine."""
    named = inherited.get("NO_PROXY") or inherited.get("no_proxy")
    listed = f"{named},{_LOOPBACK}" if named else _LOOPBACK
    return {"NO_PROXY": listed, "no_proxy": listed}
