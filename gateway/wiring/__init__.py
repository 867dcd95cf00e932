"""
The only package that constructs engines, pools, clients and carriers; others are handed what they need.

`resources` is what every role shares. Each other module opens one kind of process on it and imports what that
process needs and no more: a worker without the AWS SDK or the web framework is a quarter smaller. All are
context managers or take an exit stack: what they open is closed in reverse order.
"""
