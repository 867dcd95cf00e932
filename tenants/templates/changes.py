"""
What one version changed against another, and whether the operator has to care. Pure.

After the short-code rule that typos, clarity and variants are free while brand or purpose are not: a change
is substantial if it touches what the message is, to whom it goes or what its variables may hold.
"""

from difflib import SequenceMatcher
from typing import Final, Literal

from msgspec import Struct

from tenants.templates import links
from tenants.templates.authoring import Wording

_ALIKE: Final = 0.8
"""Share of a text's words that has to stay for the change to be minor."""

_MOST_WORDS: Final = 400
"""No sentence of 1,600 characters has more."""


class TextChange(Struct, frozen=True, kw_only=True):
    """A run of one text's words."""

    op: Literal["same", "removed", "added"]
    text: str


class WordingChanges(Struct, frozen=True, kw_only=True):
    """From one version to another."""

    substantial: bool
    fields: tuple[str, ...]
    """Members of the wording that differ."""
    body: tuple[TextChange, ...]
    """The body, word by word; one `same` where nothing changed."""
    variants: dict[str, tuple[TextChange, ...]]
    """The same for each locale that either version has; an absent text is empty."""


def changes(before: Wording, after: Wording) -> WordingChanges:
    """Return what became of `before`."""
    differing = tuple(
        name for name in Wording.__struct_fields__ if getattr(before, name) != getattr(after, name)
    )
    old, new = ({each.locale: each.body for each in wording.variants} for wording in (before, after))
    texts = [(before.body, after.body), *((old[name], new[name]) for name in old.keys() & new.keys())]
    return WordingChanges(
        substantial=bool({"type", "use_case", "countries", "variables", "dlt_template_id"} & set(differing))
        or any(_substantial(*pair) for pair in texts),
        fields=differing,
        body=_steps(before.body, after.body),
        variants={
            name: _steps(old.get(name, ""), new.get(name, "")) for name in sorted(old.keys() | new.keys())
        },
    )


def _substantial(before: str, after: str) -> bool:
    if [host.name for host in links.hosts(before)] != [host.name for host in links.hosts(after)]:
        return True
    return _compared(before.split(), after.split()).ratio() < _ALIKE


def _compared(old: list[str], new: list[str]) -> SequenceMatcher[str]:
    """Words that return all the time take quadratic time; where they are the text, none is looked for."""
    return SequenceMatcher(None, old, new, autojunk=len(new) > _MOST_WORDS)


def _steps(before: str, after: str) -> tuple[TextChange, ...]:
    old, new = before.split(" "), after.split(" ")
    steps: list[TextChange] = []
    for op, old_from, old_to, new_from, new_to in _compared(old, new).get_opcodes():
        if op == "equal":
            steps.append(TextChange(op="same", text=" ".join(old[old_from:old_to])))
            continue
        if old_to > old_from:
            steps.append(TextChange(op="removed", text=" ".join(old[old_from:old_to])))
        if new_to > new_from:
            steps.append(TextChange(op="added", text=" ".join(new[new_from:new_to])))
    return tuple(steps)
