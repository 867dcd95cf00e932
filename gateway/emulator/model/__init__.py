"""What the service's own model says: its operations, shapes and constraints."""
