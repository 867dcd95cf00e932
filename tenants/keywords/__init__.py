"""What a person may write, and what is answered: STOP, HELP, JOIN in many languages, and a tenant's own."""
