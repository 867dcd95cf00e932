"""What people write: taken in once, found its tenant, its keyword obeyed, its reply ordered."""
