import gc

from django.apps import AppConfig


class MeteringConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "metering"
    verbose_name = "Metering"

    def ready(self) -> None:
        # A batch holds some 100,000 short-lived objects without cycles; at the default threshold of 700 the collector walks
        # them a hundred times a batch, a third of the time spent rating. Above a batch's size it does not start within one.
        gc.set_threshold(400_000, 20, 50)
