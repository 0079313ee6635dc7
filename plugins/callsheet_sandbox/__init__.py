"""A HeyGen-compatible API on 127.0.0.1 with real media, for examples, tests and people without an account.

It replaces sound tracks and speaks placeholder sentences; it does not animate lips and does not translate.
This module imports nothing: use ``callsheet_sandbox.server`` (needs the extra ``callsheet[sandbox]``).
"""
