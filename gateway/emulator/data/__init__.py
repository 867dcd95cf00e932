"""Tables that come with the emulator."""
