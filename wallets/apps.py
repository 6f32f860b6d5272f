from django.apps import AppConfig


class WalletsConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "wallets"
    verbose_name = "Wallets"

    def ready(self) -> None:
        """Have commits publish and wake."""
        from wallets.tasks import listen_to_news  # noqa: PLC0415 - models are not loaded earlier

        listen_to_news()
