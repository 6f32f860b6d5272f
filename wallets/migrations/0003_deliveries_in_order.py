"""Deliveries carry their news' subject, so that what waits can be claimed in order; news says whether it was handed out."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("wallets", "0002_storage")]

    operations = [
        migrations.RemoveIndex("news", "news_not_done"),
        migrations.RenameField("news", "done", "handed_out"),
        migrations.AlterField(
            "news",
            "handed_out",
            models.BooleanField(default=False, help_text="each of its readers has a delivery"),
        ),
        migrations.AddIndex(
            "news", models.Index(fields=["id"], condition=Q(handed_out=False), name="news_not_handed_out")
        ),
        migrations.AddIndex("news", models.Index(fields=["topic", "happened_at"], name="news_by_topic_and_age")),
        migrations.AddField(
            "delivery",
            "subject",
            models.CharField(blank=True, default="", help_text="of its news", max_length=64),
            preserve_default=False,
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(fields=["news"], condition=Q(delivered_at__isnull=True), name="delivery_waiting"),
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["reader", "subject", "news"],
                condition=Q(delivered_at__isnull=True),
                name="delivery_waiting_in_order",
            ),
        ),
    ]
