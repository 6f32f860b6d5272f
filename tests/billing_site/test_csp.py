"""What a browser may load, by path."""

import pytest

pytestmark = pytest.mark.django_db


def _policy(response) -> dict[str, list[str]]:
    parts = (part.split() for part in response["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


def test_customer_pages_run_scripts_with_the_nonce_only(client):
    policy = _policy(client.get("/login/"))
    assert policy["default-src"] == ["'none'"]
    assert "'unsafe-inline'" not in policy["script-src"] + policy["style-src"]
    assert "'unsafe-eval'" not in policy["script-src"]
    assert policy["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize("path", ["/admin/", "/api/docs/"])
def test_pages_of_packages_load_from_our_host_only(client, fiona, path):
    client.force_login(fiona)
    policy = _policy(client.get(path))
    assert policy["default-src"] == ["'none'"]
    assert "'self'" in policy["script-src"]
    assert not [one for values in policy.values() for one in values if "://" in one or one == "*"]
