"""
The whole gateway on one machine, for `tollgate dev` and `tollgate demo`.

Read `stack` first (what runs and in which order), then `keeper` (how it is kept alive), `child` (how one
process starts and ends) and `secrets` (what is made once and kept).
"""
