"""Combinations of settings that must not serve the public have ids."""

import pytest
from django.core.checks import run_checks

from billing_site.settings import DEFAULT_SECRET_KEY

PUBLIC = {"SITE_URL": "https://billing.example.com", "SITE_IS_LOCAL": False, "STAFF_TWO_FACTOR": True}


def _ids() -> set[str]:
    return {found.id for found in run_checks() if found.id.startswith("billing.")}


def test_the_settings_of_these_tests_are_safe():
    assert _ids() == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"DEBUG": True, **PUBLIC}, {"billing.E001"}),
        ({"DEBUG": True}, set()),
        ({"SECRET_KEY": DEFAULT_SECRET_KEY}, {"billing.E002"}),
        ({"TIME_ZONE": "Europe/Berlin"}, {"billing.E003"}),
        ({"USE_TZ": False}, {"billing.E003"}),
        ({"HOT_BUCKETS": 0}, {"billing.E004"}),
        ({"HOT_BUCKETS": 32_768}, {"billing.E004"}),
        ({**PUBLIC, "SITE_URL": "http://billing.example.com"}, {"billing.W001"}),
        ({**PUBLIC, "STAFF_TWO_FACTOR": False}, {"billing.W003"}),
        ({"SIGN_UP": "perhaps"}, {"billing.E005"}),
        ({"OUTGOING_ALLOWED_HOSTS": ["10.0.0.7"], **PUBLIC}, {"billing.W002"}),
        ({"OUTGOING_ALLOWED_HOSTS": ["10.0.0.7"]}, set()),
        (PUBLIC, set()),
    ],
)
def test_unsafe_combinations_are_found(settings, changes, expected):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert _ids() == expected
