"""Reading and making real media files: PyAV for sound and picture, espeak-ng for voices. Nothing here knows HTTP."""
