"""Who the tenants are: their state, their plan and the data key that seals what their end users said."""
