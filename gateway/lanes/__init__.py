"""
What leaves next: every queued message in Redis, and the rate gates that decide when it may go.

    lanes             push, claim, settle, requeue, wait for work, rebuild
    entry             the messages that go in and the claims that come out
    gates             the rates AWS and the carriers grant by default, and how a rate becomes a period
    backlog           how long a message would wait, for the edge; line_sums has the arithmetic of the gates,
                      contenders and rounds what goes before it where others take turns
    survey            every lane with what waits in it, for the operator; gauges makes metrics of it
    scripts           how Lua scripts are run, one pipeline per event-loop tick

The data structure is described on top of `structure.lua`.
"""
