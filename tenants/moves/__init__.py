"""A tenant's way over from another provider: its volumes and senders there, and how much comes here."""
