"""
From an invitation to the first live message: what a tenant answers, and what is left to do.

`answers` are the questions with their rules, `relationship` decides who is registered, `steps` turns answers
and facts into a checklist (pure), `service` stores answers, asks for approval and goes live. Nothing keeps a
"current step": the checklist is computed anew each time, so a flow resumes wherever it was left.
"""
