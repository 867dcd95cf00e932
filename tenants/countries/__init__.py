"""Where a number is, and what AWS can do there."""
