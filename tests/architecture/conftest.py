"""The sources of both packages, parsed once."""

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "tenants")


@dataclass(frozen=True)
class Source:
    """One module."""

    path: str
    """From the root, for example `tenants/audit/store.py`."""
    tree: ast.Module

    def calls(self, *names: str) -> list[ast.Call]:
        """Return the calls of functions or methods with these last names."""
        return [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call) and _last_name(node.func) in names
        ]


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case ast.Subscript(value=value):
            return _last_name(value)
        case _:
            return ""


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def sources() -> list[Source]:
    """Every module of both packages."""
    return [
        Source(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8")))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


@pytest.fixture(scope="session")
def parse():
    """A function that makes a source of a text, to show that a rule can fail."""

    def of(text: str, path: str = "tenants/made_up/store.py") -> Source:
        return Source(path, ast.parse(text))

    return of
