"""The HTTP edge: who asks, what may be asked, and how every answer and refusal looks."""
