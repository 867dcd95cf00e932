"""The demo's output as a picture for the README: an SVG that fetches nothing."""

import re
from pathlib import Path
from typing import Final

from rich.console import Console

_WEB_FONTS: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_FONTS: Final = '"Fira Code", Menlo, Consolas, "DejaVu Sans Mono", monospace'


def save_picture(console: Console, path: Path) -> None:
    """Write what a recording console has printed."""
    drawn = console.export_svg(title="deploy/demo")
    path.write_text(_WEB_FONTS.sub("", drawn).replace("Fira Code, monospace", _FONTS), encoding="utf-8")
