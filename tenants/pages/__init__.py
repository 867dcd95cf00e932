"""What a tenant's public pages say: who it is, what it sends, and what people read before they agree."""
