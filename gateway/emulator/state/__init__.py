"""What the emulated accounts own, and the journal that keeps it over a crash."""
