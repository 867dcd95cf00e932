"""May it be accepted? Only the commit made here answers 202."""
