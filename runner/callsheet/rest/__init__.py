"""Remote operations of REST APIs as data: one entry per operation, one table of errors and prices per provider.

An entry says where to send what, how to read the answer and how to ask after the job; `RestOperation` does it. The
format is `specs/callsheet_specs/rest-operation.schema.json`; ``plugins/callsheet_heygen/operations`` are examples.
"""

from __future__ import annotations

from . import replies
from .dialect import Card, Dialect, Lookup
from .load import load
from .operation import RestOperation

__all__ = ["Card", "Dialect", "Lookup", "RestOperation", "load", "replies"]
