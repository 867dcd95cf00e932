"""Carries registrations to AWS step by step, and brings back what reviewers decided."""
