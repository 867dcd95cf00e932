"""What the operator may ask, under /v1/admin."""
