import pytest
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

from tests.house.source import HEIGHT


def test_migrations_depend_downward():
    up = [
        (app, name, dependency)
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app in HEIGHT
        for dependency, _ in migration.dependencies
        if HEIGHT.get(dependency, -1) > HEIGHT[app]
    ]
    assert not up


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
