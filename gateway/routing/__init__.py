"""Which origination identity carries a message, which are well enough to, and where to go when one is not."""
