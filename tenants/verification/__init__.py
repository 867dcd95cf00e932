"""Which phones a tenant has shown to be in its hands: who is reached while a country or account is tried."""
