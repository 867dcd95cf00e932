"""
Who of a tenant may use the console: invitations, passwords, second factors and sessions.

`invitations` turns a link into a person, `signing_in` proves a person, `sessions` remembers that for a while,
`brakes` slows guessing (pure). Everything here runs in a worker's transaction, since it is what mints a
TenantScope. Secrets are stored as keyed hashes; e-mail addresses and second factors are sealed with the
tenant's data key.
"""
