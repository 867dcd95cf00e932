"""What AWS posts to us."""
