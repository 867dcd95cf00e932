"""What is installed is all that is needed: data files are inside the packages and are found there."""

import subprocess
import tomllib
from importlib.resources import files

import pytest


def data_files(root):
    """Everything in the packages that is not Python."""
    return [
        path.relative_to(root)
        for package in ("gateway", "tenants")
        for path in sorted((root / package).rglob("*"))
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    ]


def test_the_wheel_holds_both_packages_whole(root):
    """Hatchling takes everything in a listed package; nothing narrows that."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = settings["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["gateway", "tenants"]
    assert wheel.keys() <= {"packages", "force-include"}
    assert set(settings["tool"]["hatch"]["build"]) == {"targets"}


def test_no_data_file_is_ignored(root):
    """Hatchling leaves out what version control ignores, and a missing Lua script fails at run time."""
    names = "\n".join(str(path) for path in data_files(root))
    ended = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        cwd=root,
        input=names,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, ""), ended.stderr


@pytest.mark.parametrize("suffix", [".lua", ".sql", ".csv", ".json"])
def test_the_files_of_each_kind_are_readable_as_resources(root, suffix):
    """They are read through `importlib.resources`, so that a zipped or installed package works, too."""
    found = [path for path in data_files(root) if path.suffix == suffix]
    assert found
    for path in found:
        package = files(".".join(path.parts[:-1]))
        assert package.joinpath(path.name).read_text(encoding="utf-8").strip(), path


def test_the_packages_are_typed(root):
    """Whoever imports us gets our types."""
    assert (root / "gateway/py.typed").exists()
    assert (root / "tenants/py.typed").exists()
