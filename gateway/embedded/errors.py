"""
What can go wrong with an embedded server. Every text names the way out.

    EmbeddedError
    ├── ServerMissingError     no program to start on this machine
    ├── AccountMissingError    root has no account to step down to
    ├── FolderInUseError       another process runs on the data folder
    ├── FolderUnusableError    the data folder cannot be made, read or reached
    ├── ServerFailedError      the program ended, or stayed silent, while it was starting
    └── ServerNotRunningError  asked for something only a started server has
"""


class EmbeddedError(Exception):
    """The root of this package's exceptions."""


class ServerMissingError(EmbeddedError):
    """No provider has a program that can be started."""


class AccountMissingError(EmbeddedError):
    """PostgreSQL refuses to run as root, and there is no account to step down to."""


class FolderInUseError(EmbeddedError):
    """Another process holds the lock of the data folder."""


class FolderUnusableError(EmbeddedError):
    """The data folder cannot be made, read, or reached by the account the servers run as."""


class ServerFailedError(EmbeddedError):
    """The server ended or stayed silent while it was starting; the text carries the end of its log."""


class ServerNotRunningError(EmbeddedError):
    """The server has not been started."""
