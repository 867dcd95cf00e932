"""Whether a person fills in a form: what the page shows, and what its provider is asked."""
