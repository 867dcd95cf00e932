"""What do the messages say together: found, counted, compared with their usual selves, handed out."""
