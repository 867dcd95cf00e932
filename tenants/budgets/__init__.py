"""Who may spend how much in a month: caps, what is counted against them, and who is told on the way."""
