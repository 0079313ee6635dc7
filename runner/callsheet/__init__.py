"""callsheet: declarative jobs for video localisation and campaigns."""

__version__ = "0.1.0"
