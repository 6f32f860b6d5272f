from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        from notifications.tasks import listen_to_deliveries  # noqa: PLC0415 - models are not loaded earlier

        listen_to_deliveries()
