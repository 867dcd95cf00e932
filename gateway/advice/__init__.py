"""
"Which sender should I ask for?", answered before any money is spent.

`wish` is the question, `facts` what is known of each kind of sender per country, `rank` the order of the
answers with their reasons, `costs` the tenant's prices of them, `plan_sheet` the same as a table with a
timeline. All pure.
"""
