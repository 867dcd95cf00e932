"""What a control endpoint refuses."""


class Refusal(Exception):  # noqa: N818 - it is an answer, not a failure
    """The request cannot be followed; the text says why."""
