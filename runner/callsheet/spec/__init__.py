"""Reading job files and data files: every value with its place, every problem with a code and a way out."""
