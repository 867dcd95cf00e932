"""What waits for a person at the operator's: anything that the gateway cannot settle by itself."""
