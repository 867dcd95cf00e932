"""Who may send, what, and who pays. Postgres only; knows no transport."""
