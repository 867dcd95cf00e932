"""What a control endpoint refuses."""


class Refusal(Exception):
    """The request cannot be followed; the text says why."""
