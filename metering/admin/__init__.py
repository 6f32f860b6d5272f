"""The back office's pages on usage; importing this registers them."""

from metering.admin import credit_notes, dead_letters, events, hourly_usage, spend_caps

__all__ = ["credit_notes", "dead_letters", "events", "hourly_usage", "spend_caps"]
