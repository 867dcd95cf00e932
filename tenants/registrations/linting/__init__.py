"""What reviewers refuse, found by rule before they see it."""
