"""May it leave by the rules of where, when and what? One pure gate a file; `judging.py` runs them."""
