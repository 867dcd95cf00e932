"""What is told to whom: endpoints and their deliveries, for the tenant that owns them or the operator."""
