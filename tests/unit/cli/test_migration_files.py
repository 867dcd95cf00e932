"""The folder of `tollgate migration` becomes requests, and what is said of them finds its line again."""

import click
import pytest

from gateway.api.moving.files import renamed
from gateway.cli.migration_files import parts_of, placed
from tenants.moves.plan import comes_from_here


def test_opt_outs_go_first_and_in_pieces_whose_lines_are_the_files(tmp_path) -> None:
    """Two hundred thousand opt-outs are no reason to cut a file by hand, nor to guess which line is meant."""
    numbers = [f'+120655{row:05d},,"two\nlines"' for row in range(1500)]
    (tmp_path / "opt-outs.csv").write_text("\n".join(["number,list,note", "", *numbers]))
    (tmp_path / "volumes.csv").write_text("country,messages_per_month\nUS,1\n")
    parts = parts_of(tmp_path, "Other", None)
    assert [sorted(part.lines) for part in parts] == [["opt_outs"], ["opt_outs"], ["volumes"]]
    assert parts[1].body["opt_outs"].startswith("number,list,note\n")
    rows = [*parts[0].body["opt_outs"].splitlines()[1:], *parts[1].body["opt_outs"].splitlines()[1:]]
    assert rows == "\n".join(numbers).splitlines()
    assert placed({"file": "opt_outs", "line": 3}, parts[0])["line"] == 4
    assert placed({"file": "opt_outs", "line": 3}, parts[1])["line"] == 4 + 2 * 1000


def test_a_folder_without_files_is_named(tmp_path) -> None:
    """A typing error must not look like a migration that had nothing to do."""
    with pytest.raises(click.UsageError, match=r"opt-outs\.csv"):
        parts_of(tmp_path, "Other", None)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("{{1}} and {{ First Name }}", "{v1} and {first_name}"),
        ("{{User.UserAttributes.Name}}", "{user_userattributes_name}"),
        ("{code} stays", "{code} stays"),
        ("{{--}}", "{v}"),
    ],
)
def test_place_holders_of_other_systems_get_names_of_here(theirs: str, ours: str) -> None:
    """Nobody rewrites five hundred texts by hand."""
    assert renamed(theirs) == ours


def test_a_share_is_kept_by_recipients_and_only_grows() -> None:
    """Every hash: none at 0, all at 100, and whoever is here at a share is here at every larger one."""
    hashes = [number.to_bytes(8) for number in range(100)]
    shares = [sum(comes_from_here(each, percent) for each in hashes) for percent in range(101)]
    assert shares == list(range(101))
    assert all(
        comes_from_here(each, percent) <= comes_from_here(each, percent + 1)
        for each in hashes
        for percent in range(100)
    )
