"""What lists are asked, and how they are given in pages."""
