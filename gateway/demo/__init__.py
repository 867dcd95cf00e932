"""
`tollgate demo`: the whole gateway at work for half a minute, on real parts, with proof at the end.

Read `run` first (the order of things), then `script` (who sends what, drawn from the seed), `acts` (the sends
that must be refused or repeated), `tally` (what was seen) and `verdict` (what must hold for exit status 0).
"""
