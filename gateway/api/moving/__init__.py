"""How a customer of another provider moves in: its files, row by row, and what becomes of each."""
