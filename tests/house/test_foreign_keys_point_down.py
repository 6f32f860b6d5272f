from django.apps import apps

from tests.house.source import HEIGHT


def test_foreign_keys_point_down():
    """A key named by a string escapes the import contracts."""
    up = [
        (model._meta.label, field.name)
        for model in apps.get_models()
        if model._meta.app_label in HEIGHT
        for field in model._meta.get_fields()
        if field.is_relation and field.concrete and field.related_model
        and HEIGHT.get(field.related_model._meta.app_label, -1) > HEIGHT[model._meta.app_label]
    ]  # fmt: skip
    assert not up
