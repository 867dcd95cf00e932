"""What came back: events from AWS, proven, read and folded into the messages they belong to."""
