"""Who is told: events to tenants' endpoints, signed, checked where they connect, tried for days."""
