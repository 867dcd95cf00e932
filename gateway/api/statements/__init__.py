"""A month's statement, as JSON, as CSV and as a page to print."""
