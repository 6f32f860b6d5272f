from django.apps import AppConfig


class BillingSiteConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "billing_site"
    verbose_name = "Billing"

    def ready(self) -> None:
        """Register the system checks, and Celery's app before any task is sent."""
        from billing_site import celery, checks  # noqa: F401, PLC0415 - models are not loaded earlier
