"""The command line: a file per command, and all text in `text` and `progress`. It holds no logic of its own."""
