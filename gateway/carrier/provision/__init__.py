"""What must exist at AWS before a tenant sends: planned, made, compared, and taken away again."""
