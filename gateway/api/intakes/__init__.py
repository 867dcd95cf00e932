"""What platforms post about their customers, and what becomes of it."""
