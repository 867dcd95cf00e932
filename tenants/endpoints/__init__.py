"""Where a tenant wants to be told: its webhook endpoints."""
