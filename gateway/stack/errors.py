"""
What can go wrong with the whole stack. Every text names the way out.

    GatewayError
    └── StackError    a part of the stack could not be started; carries the end of its log
"""

from gateway.errors import GatewayError


class StackError(GatewayError):
    """A part of the stack did not start."""
