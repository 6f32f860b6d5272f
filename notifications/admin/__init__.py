"""The back office's pages on who is told what; importing this registers them."""

from notifications.admin import deliveries, recipients, rules, sent_mail, webhook_endpoints

__all__ = ["deliveries", "recipients", "rules", "sent_mail", "webhook_endpoints"]
