"""Which destinations are protected: country rules and number overrides per tenant, and the operator's own."""
