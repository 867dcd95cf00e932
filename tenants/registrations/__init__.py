"""Who is registered with carriers for what: forms, versions, reviews, and what reviewers object to."""
