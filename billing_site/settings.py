"""The settings of every deployment: one file, one reader. Each value below that an operator may change is read with
`env`, has the default that is right for one machine, and says why; NAME_FILE names a file to read a value from, so that
secrets need not stand in the environment. docs/settings.md lists them; a test compares.

Nothing here depends on "development" or "production". `manage.py` on the embedded servers sets DATABASE_URL, REDIS_URL and
SECRET_KEY from DATA_DIR; everything else is the same code and the same database as in production. Combinations that are
not safe to serve the public with are found by billing_site/checks.py.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django.urls import reverse_lazy
from django.utils.functional import SimpleLazyObject
from django.utils.module_loading import import_string

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()


def moment_of(text: str) -> datetime | None:
    """A moment with its offset, as ISO 8601 writes it; None for none."""
    moment = datetime.fromisoformat(text) if text else None
    if moment is not None and moment.tzinfo is None:
        raise environ.ImproperlyConfigured(f"{text} names no offset; add Z for UTC")
    return moment


# --- What this deployment is -----------------------------------------------------------------------------------------

# Off: an error page must not show settings and queries to a customer. `make run` leaves it off too.
DEBUG = env.bool("DEBUG", default=False)
# Signs sessions and password links. The default is refused by a check; embedded servers keep a generated one in DATA_DIR.
DEFAULT_SECRET_KEY: Final = "insecure: set SECRET_KEY"  # noqa: S105 - refused by a check
SECRET_KEY = env.str("SECRET_KEY", default=DEFAULT_SECRET_KEY)
# Keys that signed earlier, while the present one is being rotated in.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Where `manage.py run` listens: this machine only, until somebody wants more.
HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
# The address people and mails use. https here turns on secure cookies and HSTS.
SITE_URL = env.str("SITE_URL", default=f"http://localhost:{PORT}").rstrip("/")
_site = urlsplit(SITE_URL)
SITE_IS_LOCAL = _site.hostname in {"localhost", "127.0.0.1", "::1"}
# Host names answered; others get 400, so that no link can be forged through the Host header.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", _site.hostname or "localhost"])
# The folder of the embedded servers, their secrets and logs; unused when DATABASE_URL and REDIS_URL are set.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / ".data")))
# Fill an empty database with the demo company and keep its traffic alive, in `manage.py run`. On for embedded servers.
DEMO = env.bool("DEMO", default=False)
# Behind a proxy that sets X-Forwarded-Proto and X-Forwarded-For (and strips the client's): trust it.
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
# DEBUG, INFO, WARNING ... of our own loggers; libraries stay at WARNING.
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")

# --- Stores ----------------------------------------------------------------------------------------------------------

# PostgreSQL, the only truth. Connections persist per thread: a request pays no connection, and a thread that waits for
# the group commit cannot starve the committer of one, as with a shared pool. Read committed, rows locked explicitly.
_database = env.db_url("DATABASE_URL", default="postgresql://billing@127.0.0.1:5432/billing")
DATABASES = {
    "default": _database
    | {
        # Seconds a connection is kept; 0 closes it after each request, for a pooler in front of PostgreSQL.
        "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE", default=600),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 10, "application_name": "billing"} | _database.get("OPTIONS", {}),
    }
}
# Redis or Valkey: copies, queues and counters only, may be wiped at any moment.
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
# Celery's queue, if it shall not live on the same server (RabbitMQ: amqp://...).
BROKER_URL = env.str("BROKER_URL", default=REDIS_URL)
CACHES = {"default": {"BACKEND": "billing_site.cache.ForgetfulCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "cache"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Billing ---------------------------------------------------------------------------------------------------------

# Parts the accounts are spread over (crc32 of the key modulo this), for good. 1 on one machine, 64 to 256 to distribute.
HOT_BUCKETS = env.int("HOT_BUCKETS", default=1)
# Events older than this many days are refused: their price may be gone and their period is closed.
INGEST_MAX_AGE_DAYS = env.int("INGEST_MAX_AGE_DAYS", default=35)
# Where a refused caller is sent to add credit; {account} is the account's key.
TOP_UP_URL = env.str("TOP_UP_URL", default=f"{SITE_URL}/top-up/{{account}}")
# Pages that mails link to; the apps below know no addresses of the site.
_PAGES = {
    "balance": "/?account={account}", "payments": "/payments/{account}", "cards": "/cards/{account}",
    "caps": "/caps/{account}", "plan": "/plan/?account={account}", "statements": "/statements/{account}",
    "recharge": "/auto-recharge/{account}", "alerts": "/alerts/{account}", "webhooks": "/webhook-endpoints/{account}",
}  # fmt: skip
PORTAL_LINKS = {"top_up": TOP_UP_URL} | {name: SITE_URL + page for name, page in _PAGES.items()}
PORTAL_LINK_URL, WIDGET_URL = f"{SITE_URL}/enter/{{token}}/", f"{SITE_URL}/widget/{{token}}/"
# The table of who reads which news, by name: the apps below may not import it.
OUTBOX_READERS = "billing_site.outbox_readers.READERS"
# What tells the spend caps of accounts for the gate's copy in Redis; they stand in a room above the one that publishes.
GATE_CAPS = "metering.caps.published.published_caps"
# What collects plans' fees by card (pricing/plans/card.py); empty: fees are paid from the wallet only.
FEES_BY_CARD = "pricing.plans.collect_by_top_up.collect_by_top_up"
# Stripe's keys (Dashboard, Developers, API keys) and the secret of the webhook endpoint SITE_URL/webhooks/stripe. Without a
# secret key no cards are taken; `manage.py run` then starts a sandbox of its own on this machine.
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_PUBLISHABLE_KEY = env.str("STRIPE_PUBLISHABLE_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
# The address of a sandbox that speaks Stripe's API and serves its script; empty is Stripe itself.
STRIPE_API_URL = env.str("STRIPE_API_URL", default="").rstrip("/")
# What makes the provider of card payments, by name: tests have their own.
CARD_PROVIDER = "wallets.payments.providers.stripe.from_settings"
# On: Stripe Tax works out the tax on top-ups by card. Off: the table of flat rates by country.
STRIPE_TAX = env.bool("STRIPE_TAX", default=False)
# What is sold, in Stripe's product tax codes: electronically supplied services.
STRIPE_TAX_CODE = env.str("STRIPE_TAX_CODE", default="txcd_10000000")
# What makes the provider of tax, by name: tests have their own.
TAX_PROVIDER = "wallets.payments.providers.stripe_tax.from_settings"
# From when on credit and usage are mirrored to the provider's own billing (2026-12-01T00:00:00Z); empty: they are not.
STRIPE_MIRROR_SINCE = moment_of(env.str("STRIPE_MIRROR_SINCE", default=""))
# What makes the provider's billing, by name: tests have their own.
BILLING_PROVIDER = "wallets.payments.providers.stripe_billing.from_settings"
# Who sells, as receipts say: a short code their numbers start with, the name, the address (commas become lines), the tax id.
SELLER_ENTITY = env.str("SELLER_ENTITY", default="main")
SELLER_NAME = env.str("SELLER_NAME", default="Prepaid")
SELLER_ADDRESS = env.str("SELLER_ADDRESS", default="")
SELLER_TAX_ID = env.str("SELLER_TAX_ID", default="")
# What API keys that customers make for themselves may do; such a key sees its own account only.
CUSTOMER_KEY_SCOPES = env.list(
    "CUSTOMER_KEY_SCOPES", default=["events:write", "gate:check", "holds:write", "accounts:read", "reports:read"]
)
# What breaks usage down on statements: properties of events that meters have as dimensions.
STATEMENT_DIMENSIONS = env.list("STATEMENT_DIMENSIONS", default=["model"])
# How statements and credit notes are set as PDF: typst files.
STATEMENT_TEMPLATE = env.str("STATEMENT_TEMPLATE", default=str(BASE_DIR / "templates" / "statement" / "statement.typ"))
CREDIT_NOTE_TEMPLATE = env.str("CREDIT_NOTE_TEMPLATE", default=str(BASE_DIR / "templates" / "statement" / "credit_note.typ"))

# --- money back (wallets/refunds) ------------------------------------------------------------------------------------------

# Off: a fee that was added to the charge stays with us, as the provider keeps its own.
REFUNDS_RETURN_FEE = env.bool("REFUNDS_RETURN_FEE", default=False)
# On: the gate refuses the wallet while a payment into it is in dispute.
DISPUTE_FREEZES_WALLET = env.bool("DISPUTE_FREEZES_WALLET", default=False)
# Off: what a customer had used of a payment that was lost in a dispute stays owed, until somebody writes it off.
DISPUTE_LOST_IS_WRITTEN_OFF = env.bool("DISPUTE_LOST_IS_WRITTEN_OFF", default=True)
# In which a withdrawal can be cancelled, also by whoever it was taken from; the credit is held meanwhile.
WITHDRAWAL_HOLD_HOURS = env.int("WITHDRAWAL_HOLD_HOURS", default=72)
# Where the link in the e-mail that asks to confirm a withdrawal leads; {token} says which.
WITHDRAWAL_URL = env.str("WITHDRAWAL_URL", default=f"{SITE_URL}/withdraw/confirm/{{token}}/")
# A function (user, code) -> bool | None: whether the second factor is right; None: the user has none.
SECOND_FACTOR_CHECK = env.str("SECOND_FACTOR_CHECK", default="billing_site.sign_in.second_factor.check_code")
# Wake a worker after a commit that wrote news. Off: the sweep finds it seconds later (tests, bulk loads).
OUTBOX_WAKES_WORKER = env.bool("OUTBOX_WAKES_WORKER", default=True)

# --- The Django site -------------------------------------------------------------------------------------------------

ROOT_URLCONF = "billing_site.urls"
WSGI_APPLICATION = "billing_site.wsgi.application"
AUTH_USER_MODEL = "wallets.User"
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # without its own site; before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "billing_site.backoffice.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "pgtrigger",
    "rest_framework",
    "wallets",
    "pricing",
    "metering",
    "notifications",
    "billing_site",
]
MIDDLEWARE = [
    "billing_site.api.limits.RequestLimits",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "billing_site.csp.PolicyByPathMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "billing_site.portal.link.LinkSessions",
    "billing_site.viewer_zone.ViewerZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "billing_site.portal.visit.VisitsChangeNothing",
    "billing_site.api.idempotency.AnswerOnce",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "billing_site.brand_pages.brand_in_templates",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# UTC everywhere inside; pages show the viewer's zone. A check refuses another value.
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = True
# What mails are written in; another language is another folder there.
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("ja", "日本語")]
LOCALE_PATHS = [BASE_DIR / "templates" / "locale"]
# Day before month, 24 hours: dates that read the same everywhere.
FORMAT_MODULE_PATH = ["billing_site.formats"]
# Navigation, names and colours of the admin. Read late: it counts rows of the apps.
UNFOLD = SimpleLazyObject(lambda: import_string("billing_site.backoffice.appearance.UNFOLD"))

# --- Signing in (billing_site/sign_in, django-allauth) ---------------------------------------------------------------

LOGIN_URL = reverse_lazy("portal:login")
LOGIN_REDIRECT_URL = reverse_lazy("portal:balance")
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
# Who may make a new person: open (everybody), invitation (whoever was invited to an account), closed (nobody).
SIGN_UP = env.str("SIGN_UP", default="invitation")
# What an account is opened with by somebody who signed up (SIGN_UP=open): a choice of currencies, and its price book (pbk_…).
SIGN_UP_CURRENCIES = env.list("SIGN_UP_CURRENCIES", default=["USD", "EUR", "GBP"])
SIGN_UP_PRICE_BOOK = env.str("SIGN_UP_PRICE_BOOK", default="")
# Where the link in an invitation to an account leads; {token} says which.
INVITATION_URL = env.str("INVITATION_URL", default=f"{SITE_URL}/invitation/{{token}}/")
# Staff need a second factor at the door of the back office. Off on this machine: `make run` is to be looked at.
STAFF_TWO_FACTOR = env.bool("STAFF_TWO_FACTOR", default=not DEBUG and not SITE_IS_LOCAL)
# How long an answer to "who is there" holds before money moves in the back office; 0: it is not asked again.
REAUTHENTICATION_MINUTES = env.int("REAUTHENTICATION_MINUTES", default=15)
ACCOUNT_ADAPTER = "billing_site.sign_in.adapter.SignInAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# A link in a mail shows a page with a button: a mail program that opens links confirms nothing.
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = (REAUTHENTICATION_MINUTES or 15) * 60
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _site.scheme
# The address a rate limit counts, as the proxy says it.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
MFA_ADAPTER = "billing_site.sign_in.secrets.EncryptingMFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SELLER_NAME
MFA_TOTP_TOLERANCE = 1
# Browsers take localhost for safe; allauth's library has to be told.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = SITE_IS_LOCAL

# Served by the web processes from the apps' folders; nothing has to be collected first.
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

# --- Safety in the browser -------------------------------------------------------------------------------------------

_HTTPS = _site.scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Cookies know no ports: two sites side by side on localhost would sign each other out.
SESSION_COOKIE_NAME = f"session_{PORT}" if SITE_IS_LOCAL else "session"
CSRF_COOKIE_NAME = f"csrf_{PORT}" if SITE_IS_LOCAL else "csrf"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
SECURE_SSL_REDIRECT = _HTTPS
SECURE_REDIRECT_EXEMPT = ["^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Only what we serve ourselves, scripts only with the page's nonce. The admin and the API docs get theirs in csp.py.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
# Bytes of a body that is not a file upload. What the API takes; RequestLimits answers before Django would.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
# Fields of a form: the price editor shows 20 prices, each of up to 100 tiers.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

# --- The API ---------------------------------------------------------------------------------------------------------

# By name: the apps' views know nothing of keys, scopes and problem documents; they only declare (HTTP policy is in api/).
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["billing_site.api.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["billing_site.api.scopes.HasRequiredScope"],
    "DEFAULT_THROTTLE_CLASSES": ["billing_site.api.throttles.KeyThrottle"],
    "DEFAULT_PARSER_CLASSES": ["billing_site.api.exact_json.ExactJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["billing_site.api.exact_json.ExactJSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "billing_site.api.exact_json.AlwaysJSON",
    "DEFAULT_PAGINATION_CLASS": "billing_site.api.paging.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "billing_site.api.schema.ApiSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "billing_site.api.problems.problem_response",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# Requests an API key may make in a minute; 0 is no limit. Protects the service, not money: the gate does that.
API_REQUESTS_PER_MINUTE = env.int("API_REQUESTS_PER_MINUTE", default=600_000)
# Keys refused in a minute from one address before it is told to wait; 0 is no limit.
API_REFUSALS_PER_MINUTE = env.int("API_REFUSALS_PER_MINUTE", default=60)
SPECTACULAR_SETTINGS = {
    "TITLE": "Prepaid billing API",
    "DESCRIPTION": "Accounts hold wallets, wallets hold credit, events draw it down as they arrive.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    # From our own host (drf-spectacular-sidecar): the page needs nothing from outside.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"validatorUrl": None, "persistAuthorization": True},
    "POSTPROCESSING_HOOKS": ["billing_site.api.schema.add_problems"],
    "COMPONENT_SPLIT_REQUEST": False,
}

# --- Work behind the scenes ------------------------------------------------------------------------------------------

# A task is acknowledged when it is done, so that a killed worker's task runs again; every task may run twice. Results
# are rows, never Celery's. The table of what runs when is in billing_site/celery.py.
CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "billing"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A commit that wakes a worker must not wait for a broker that is away.
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 1} if BROKER_URL.startswith("redis") else {}

# --- Mail and log ----------------------------------------------------------------------------------------------------

# smtp+tls://user:password@host:587 in production; written to the log until one is set. keptmail:// keeps mails in a table
# of our own; the embedded servers do.
environ.FileAwareEnv.EMAIL_SCHEMES["keptmail"] = "notifications.channels.email.kept.KeepingBackend"
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
# Seconds a mail server may take.
EMAIL_TIMEOUT = 10
# Hosts that webhooks may reach although they are on a private network, and without https; for development only, a check warns.
OUTGOING_ALLOWED_HOSTS = env.list("OUTGOING_ALLOWED_HOSTS", default=[])
# Origins of the vendor's own app whose pages may show the banner with a token (https://app.example.com); * is any.
BANNER_ORIGINS = env.list("BANNER_ORIGINS", default=[])
# The sender of every mail.
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="billing@localhost")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {app: {"level": LOG_LEVEL} for app in ("wallets", "pricing", "metering", "notifications", "billing_site")},
}
