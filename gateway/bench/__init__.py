"""
What does a message cost, and what would the bare component under it cost in the same minute?

Read `run` first (the list of benchmarks), then `report` (what a figure is), then one benchmark. Each runs
the gateway's real processes on embedded stores and measures them in turns with the bare component beside
them: absolute rates follow the machine's mood, the ratio of two neighbours does not.
"""
