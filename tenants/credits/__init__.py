"""Who pays: price book, double-entry ledger and cached balances."""
