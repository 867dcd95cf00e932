"""The commands that `docs/how-to/inbound-and-opt-outs.md` shows are commands, and its fields are fields."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway.cli import keywords, opt_outs

PAGE = (Path(__file__).parents[3] / "docs/how-to/inbound-and-opt-outs.md").read_text(encoding="utf-8")
GROUPS = {"keywords": keywords.command, "opt-outs": opt_outs.command}
SHOWN = re.findall(r"^tollgate (keywords|opt-outs) (\S+)(.*)$", PAGE, re.MULTILINE)


def test_the_page_shows_commands():
    """The test below would pass on a page without any."""
    assert {group for group, _, _ in SHOWN} == set(GROUPS)


@pytest.mark.parametrize(("group", "name", "rest"), SHOWN)
def test_a_shown_command_exists_with_its_options(group, name, rest):
    """A page that lies costs more than none."""
    found = GROUPS[group].commands[name]
    options = {each for option in found.params if isinstance(option, click.Option) for each in option.opts}
    assert {word for word in rest.split() if re.fullmatch(r"--[a-z-]+", word)} <= options


def test_a_file_that_is_not_there_is_said_before_anything_is_called():
    """Wrong usage is exit status 2."""
    done = CliRunner().invoke(opt_outs.command, ["import", "nowhere.csv", "--key", "x"])
    assert done.exit_code == 2
