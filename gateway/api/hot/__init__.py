"""The short ways of the two requests that come for every message, around the framework."""
