"""What the people who are texted have agreed to and stopped, at the edge."""
