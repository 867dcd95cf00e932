"""
Pages for people: a tenant's onboarding, and the operator's view of a hundred of them.

`site` is what pages are handed, `visit` who is behind a request, `questions` and `forms` turn answers into
fields and back, `*_pages` are the routes. Every change is asked of the API inside the process (`ports.Ask`),
so a page can do nothing that REST cannot, and no rule is written twice (ADR 15).
"""
