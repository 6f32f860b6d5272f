"""Customer pages."""

from allauth.account.views import logout
from django.urls import path, register_converter
from django.urls.converters import IntConverter
from django.views.decorators.http import require_POST

from billing_site.portal.alerts import alerts, put_away
from billing_site.portal.auto_recharge import auto_recharge
from billing_site.portal.balance import balance
from billing_site.portal.billing import billing
from billing_site.portal.caps import caps
from billing_site.portal.cards import begin, cards, change, keep
from billing_site.portal.charges import charge
from billing_site.portal.credit import credit, lot
from billing_site.portal.credit_notes import credit_note, credit_note_as_csv, credit_note_as_pdf
from billing_site.portal.developers import developers
from billing_site.portal.invitation import invitation, start
from billing_site.portal.link import enter, leave
from billing_site.portal.payments import payments
from billing_site.portal.plan import plan
from billing_site.portal.privacy import close, delete_me, download, privacy
from billing_site.portal.receipt import look, receipt
from billing_site.portal.security import security
from billing_site.portal.statements import statement, statement_csv, statement_events, statement_line, statement_pdf, statements
from billing_site.portal.team import team
from billing_site.portal.top_up import top_up
from billing_site.portal.unsubscribe import unsubscribe
from billing_site.portal.usage import usage, usage_csv, usage_events
from billing_site.portal.visit import end_support, support
from billing_site.portal.webhooks import webhook, webhooks
from billing_site.portal.widget import widget
from billing_site.portal.withdraw import confirm_withdraw, withdraw
from billing_site.sign_in.views import SignInView


class RowIdConverter(IntConverter):
    """A row id: what a bigint holds."""

    regex = "[0-9]{1,18}"


register_converter(RowIdConverter, "row_id")

app_name = "portal"
urlpatterns = [
    path("", balance, name="balance"),
    path("plan/", plan, name="plan"),
    path("security/", security, name="security"),
    path("charges/<row_id:event>/", charge, name="charge"),
    path("top-ups/<str:public_id>/", receipt, name="receipt"),
    path("top-ups/<str:public_id>/look/", look, name="look"),
    path("card/begin/<path:account>", begin, name="begin_card"),
    path("card/keep/<path:account>", keep, name="keep_card"),
    path("card/change/<path:account>", change, name="change_card"),
    path("cards/<path:account>", cards, name="cards"),
    path("auto-recharge/<path:account>", auto_recharge, name="auto_recharge"),
    path("credit/lot/<str:public_id>/", lot, name="lot"),
    path("credit/<path:account>", credit, name="credit"),
    path("developers/<path:account>", developers, name="developers"),
    path("billing-details/<path:account>", billing, name="billing"),
    path("caps/<path:account>", caps, name="caps"),
    path("statements/<path:account>", statements, name="statements"),
    path("statement/<str:public_id>.pdf", statement_pdf, name="statement_pdf"),
    path("statement/<str:public_id>.csv", statement_csv, name="statement_csv"),
    path("statement/<str:public_id>/events.csv", statement_events, name="statement_events"),
    path("statement/<str:public_id>/lines/<int:position>/", statement_line, name="statement_line"),
    path("statement/<str:public_id>/", statement, name="statement"),
    path("credit-note/<str:public_id>.pdf", credit_note_as_pdf, name="credit_note_pdf"),
    path("credit-note/<str:public_id>.csv", credit_note_as_csv, name="credit_note_csv"),
    path("credit-note/<str:public_id>/", credit_note, name="credit_note"),
    path("payments/<path:account>", payments, name="payments"),
    path("usage/events/<path:account>", usage_events, name="usage_events"),
    path("usage/csv/<path:account>", usage_csv, name="usage_csv"),
    path("usage/<path:account>", usage, name="usage"),
    path("withdraw/confirm/<str:token>/", confirm_withdraw, name="confirm_withdraw"),
    path("withdraw/<path:account>", withdraw, name="withdraw"),
    path("privacy/data/<path:account>", download, name="download"),
    path("privacy/close/<path:account>", close, name="close"),
    path("privacy/delete/<path:account>", delete_me, name="delete_me"),
    path("privacy/<path:account>", privacy, name="privacy"),
    path("team/<path:account>", team, name="team"),
    path("invitation/<str:token>/", invitation, name="invitation"),
    path("start/", start, name="start"),
    path("support/end/", end_support, name="end_support"),
    path("support/open/<path:account>", support, name="support"),
    path("enter/<str:token>/", enter, name="enter"),
    path("leave/", leave, name="leave"),
    path("widget/<str:token>/", widget, name="widget"),
    path("top-up/<path:account>", top_up, name="top_up"),
    path("dismiss/<path:account>", put_away, name="dismiss"),
    path("alerts/<path:account>", alerts, name="alerts"),
    path("webhook-endpoints/<path:account>", webhooks, name="webhooks"),
    path("webhook-endpoint/<str:public_id>/", webhook, name="webhook"),
    path("unsubscribe/<str:token>", unsubscribe, name="unsubscribe"),
    path("login/", SignInView.as_view(), name="login"),
    path("logout/", require_POST(logout), name="logout"),
]
