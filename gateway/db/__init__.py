"""How the process reaches Postgres: pools per database role, transactions, migrations."""
