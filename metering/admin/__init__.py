"""The back office's pages on usage; importing this registers them."""

from metering.admin import dead_letters, events, hourly_usage, spend_caps

__all__ = ["dead_letters", "events", "hourly_usage", "spend_caps"]
