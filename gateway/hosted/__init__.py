"""Public pages of tenants under `/p/{slug}`: terms, privacy, opt-in and preferences, without a login."""
