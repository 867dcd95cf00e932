"""Who must not be texted: recipients that said STOP, per tenant and use case."""
