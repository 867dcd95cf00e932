"""
The `tollgate` command: one file per command, each loaded only when it is called.

Read `root` first (the table of commands), then `calling` for those that speak to the REST API.
"""
