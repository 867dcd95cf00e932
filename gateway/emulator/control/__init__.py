"""The emulator's own endpoints under ``/_emulator``, which AWS does not have."""
