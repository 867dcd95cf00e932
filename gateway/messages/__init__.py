"""What a message is, where it is and why: its tables, its states and its history."""
