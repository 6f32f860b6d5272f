"""Customer pages."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path, register_converter
from django.urls.converters import IntConverter

from billing_site.portal.balance import balance
from billing_site.portal.charges import charge
from billing_site.portal.plan import plan


class RowIdConverter(IntConverter):
    """A row id: what a bigint holds."""

    regex = "[0-9]{1,18}"


register_converter(RowIdConverter, "row_id")

app_name = "portal"
urlpatterns = [
    path("", balance, name="balance"),
    path("plan/", plan, name="plan"),
    path("charges/<row_id:event>/", charge, name="charge"),
    path(
        "login/",
        LoginView.as_view(template_name="portal/login.html", next_page="portal:balance", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", LogoutView.as_view(next_page="portal:login"), name="logout"),
]
