from django.db import migrations, models

from notifications.channels.webhook.sealed import seal, unseal


def close(apps, schema_editor):
    for endpoint in apps.get_model("notifications", "WebhookEndpoint").objects.order_by("id"):
        endpoint.sealed_secret = seal(endpoint.sealed_secret)
        endpoint.sealed_previous_secret = seal(endpoint.sealed_previous_secret)
        endpoint.save(update_fields=["sealed_secret", "sealed_previous_secret"])


def open_again(apps, schema_editor):
    for endpoint in apps.get_model("notifications", "WebhookEndpoint").objects.order_by("id"):
        endpoint.sealed_secret = unseal(endpoint.sealed_secret)
        endpoint.sealed_previous_secret = unseal(endpoint.sealed_previous_secret)
        endpoint.save(update_fields=["sealed_secret", "sealed_previous_secret"])


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0004_paces_watched'),
    ]

    operations = [
        migrations.RemoveConstraint(model_name='webhookendpoint', name='endpoint_previous_secret_has_end'),
        migrations.RenameField(model_name='webhookendpoint', old_name='secret', new_name='sealed_secret'),
        migrations.RenameField(model_name='webhookendpoint', old_name='previous_secret', new_name='sealed_previous_secret'),
        migrations.AlterField(model_name='webhookendpoint', name='sealed_secret', field=models.CharField(max_length=400)),
        migrations.AlterField(
            model_name='webhookendpoint', name='sealed_previous_secret', field=models.CharField(blank=True, max_length=400)
        ),
        migrations.RunPython(close, open_again),
        migrations.AddConstraint(
            model_name='webhookendpoint',
            constraint=models.CheckConstraint(
                condition=models.Q(('sealed_previous_secret', ''), ('previous_secret_until__isnull', False), _connector='XOR'),
                name='endpoint_previous_secret_has_end',
            ),
        ),
    ]
