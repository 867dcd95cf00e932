"""Public things say what they are: every module, class, function and method has a docstring."""

import ast

import pytest


def undescribed(sources):
    """Public definitions without a docstring, and modules that are not packages' empty doors."""
    return [name for source in sources for name in _of(source)]


def _of(source):
    if source.tree.body and not ast.get_docstring(source.tree):
        yield source.path
    yield from _inside(source.tree.body, source.path)


def _inside(body, place):
    for node in body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if node.name.startswith("_"):
            continue
        if not ast.get_docstring(node) and not _repeats_another(node):
            yield f"{place}::{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _inside(node.body, f"{place}::{node.name}")


def _repeats_another(node):
    """An overload or an override is described where it is first defined."""
    return any(
        isinstance(decorator, ast.Name) and decorator.id in {"overload", "override"}
        for decorator in node.decorator_list
    )


def test_everything_public_is_described(sources):
    """A signature cannot say why."""
    assert undescribed(sources) == []


@pytest.mark.parametrize(
    "text", ["def f(): ...", '"""Module."""\nclass C:\n    """C."""\n    def m(self): ...']
)
def test_a_silent_definition_is_noticed(parse, text):
    """The rule above can fail."""
    assert undescribed([parse(text)])
