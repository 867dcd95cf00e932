"""
May it leave? One script asks every gate; the verdict says yes, or which gate and until when.

Read `gate` first, then `admit.lua`, `policy` (what the script knows about a tenant) and `projection` (how it
comes to know). `segments` counts parts.
"""
