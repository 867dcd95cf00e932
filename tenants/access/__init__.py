"""Who speaks: API keys, stored as keyed hashes and looked up by the id inside them."""
