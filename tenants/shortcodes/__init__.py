"""Short codes: the application that AWS takes by support case, and the months until carriers carry it."""
