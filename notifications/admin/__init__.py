"""The back office's pages on who is told what; importing this registers them."""

from notifications.admin import rules

__all__ = ["rules"]
