"""How the gateway shows itself: log lines and metrics."""
