"""What a tenant may ask, under /v1."""
