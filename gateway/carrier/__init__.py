"""Who carries a message: AWS, the sandbox, and what must exist there first."""
