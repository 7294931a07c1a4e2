"""Settings: every one an environment variable with a safe default. See .env.example for the list."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from chatproject import environment, policies
from chatproject.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where the site is -----------------------------------------------------------------------------
# One URL derives hosts, origins, cookie security, HSTS and the token issuer.
SITE_URL = environment.text("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
_site = urlsplit(SITE_URL)
if _site.scheme not in {"http", "https"} or not _site.hostname:
    raise ImproperlyConfigured(f"SITE_URL must be http(s)://host[:port], not {SITE_URL!r}.")
SECURE = _site.scheme == "https"
LOOPBACK = _site.hostname in {"127.0.0.1", "localhost", "::1"}
_port = f":{_site.port}" if _site.port else ""
_names = ["127.0.0.1", "localhost", "[::1]"] if LOOPBACK else [_site.netloc.removesuffix(_port)]
ALLOWED_HOSTS = [*_names, *environment.words("EXTRA_HOSTS")]
# Exactly these (scheme, host, port) may open a socket with a cookie and post forms.
ALLOWED_ORIGINS = [
    *(f"{_site.scheme}://{name}{_port}" for name in _names),
    *environment.words("EXTRA_ORIGINS"),
]
CSRF_TRUSTED_ORIGINS = ALLOWED_ORIGINS
# Addresses or networks of the proxies whose X-Forwarded-For is believed.
TRUSTED_PROXIES = environment.words("TRUSTED_PROXIES")

DEBUG = False
SECRET_KEY = environment.text("SECRET_KEY")
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS")
# For first-party JWTs, the newest first; without them the keys are made from those above.
TOKEN_KEYS = environment.words("TOKEN_KEYS")

# --- What is installed -----------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "chat.apps.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "csp",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "oauth2_provider",
    "procrastinate.contrib.django",
    "chatproject",
    "accounts",
    "chat",
    "api",
]
MIDDLEWARE = [
    "chatproject.middleware.OwnResources",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "chatproject.middleware.RequestLog",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "chatproject.middleware.Limited",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.LastSeen",
    "allauth.account.middleware.AccountMiddleware",
    "chatproject.middleware.Policies",
    "chatproject.middleware.Refusals",
]
ROOT_URLCONF = "chatproject.urls"
ASGI_APPLICATION = "chatproject.asgi.application"
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
                "chatproject.context.site",
            ]
        },
    }
]
SITE_NAME = environment.text("SITE_NAME", "Chat")

# --- PostgreSQL and Redis --------------------------------------------------------------------------
_database = conninfo_to_dict(environment.text("DATABASE_URL"))
MAX_DATABASE_CONNECTIONS = environment.integer("MAX_DATABASE_CONNECTIONS", default=16)
DATABASE_CHECKOUT_SECONDS = 2.0
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database.pop("dbname", ""),
        "USER": _database.pop("user", ""),
        "PASSWORD": _database.pop("password", ""),
        "HOST": _database.pop("host", ""),
        "PORT": _database.pop("port", ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            # A host that has gone without a word is given up in seconds, not in the quarter of an hour that
            # the system takes. The address may say otherwise.
            "connect_timeout": 5,
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            **_database,
            "options": "-c lock_timeout=2s -c statement_timeout=5s",
            "pool": {
                "min_size": 1,
                "max_size": MAX_DATABASE_CONNECTIONS,
                "timeout": DATABASE_CHECKOUT_SECONDS,
                # psycopg waits twice as long after each failed try, but no longer than this in all; then the
                # next request begins anew. So an outage of any length is over soon after PostgreSQL is back.
                "reconnect_timeout": DATABASE_CHECKOUT_SECONDS,
            },
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = environment.text("REDIS_URL")
# Everything this installation keeps in Redis begins with this.
REDIS_PREFIX = environment.text("REDIS_PREFIX", "chat")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            # redis-py's own default would end a quiet connection (channels_redis#422).
            "hosts": [{"address": REDIS_URL, "socket_timeout": None, "socket_connect_timeout": 1}],
            "prefix": f"{REDIS_PREFIX}:bell",
        },
    }
}

# --- People ----------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = int(timedelta(days=30).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_SECURE = SECURE
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
GUEST_IDLE = environment.days("GUEST_IDLE_DAYS", default=30)
# How long a moderator's action can be taken back.
UNDO_WINDOW = environment.days("UNDO_WINDOW_DAYS", default=30)
EVENT_RETENTION = environment.days("EVENT_RETENTION_DAYS", default=30)

# --- Limits ----------------------------------------------------------------------------------------
# How many sends of one room share a transaction at most.
WRITER_MAX_BATCH = environment.integer("WRITER_MAX_BATCH", default=256)
# Lifted for load tests only, and on no address but loopback.
NO_LIMITS = environment.flag("NO_LIMITS", default=False)
if NO_LIMITS and not LOOPBACK:
    raise ImproperlyConfigured("NO_LIMITS is for load tests on loopback; SITE_URL is another address.")

# --- Security headers ------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
# The proxy in front says by X-Forwarded-Proto how it was reached; machines that watch come without it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
X_FRAME_OPTIONS = "DENY"
# The policy of pages; chatproject.middleware.Policies gives the others theirs.
CONTENT_SECURITY_POLICY = {"DIRECTIVES": policies.PAGES}

# --- Language, files, mail, logs -------------------------------------------------------------------
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = environment.text("STATIC_ROOT", str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
EMAIL_BACKEND = environment.text("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", f"{SITE_NAME} <chat@{_site.hostname}>")
LOG_LEVEL = environment.text("LOG_LEVEL", "WARNING" if LOOPBACK else "INFO")
LOGGING = logging_config(LOG_LEVEL)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "chatproject.static.HashedStorage"},
}
WHITENOISE_MAX_AGE = 60
WHITENOISE_ADD_HEADERS_FUNCTION = policies.add_file_headers

# --- People: sign-in -------------------------------------------------------------------------------
# allauth keeps the flows; accounts.adapter binds them to our actions, limits and words.
AUTHENTICATION_BACKENDS = ["accounts.backends.Backend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "signup": "accounts.forms.SignUpForm",
    "change_password": "accounts.forms.PasswordForm",
    "reset_password": "accounts.forms.ResetForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
}
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
# Its mixin would send guests away, who are signed in too; accounts.views sends on only accounts.
ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False
# chatproject.limits, asked by accounts.views and accounts.adapter.
ACCOUNT_RATE_LIMITS = False
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=4).total_seconds())

# --- Applications of third parties -----------------------------------------------------------------
OAUTH2_PROVIDER_APPLICATION_MODEL = "accounts.Application"
OAUTH2_PROVIDER = {
    "OAUTH2_VALIDATOR_CLASS": "accounts.oauth.Validator",
    "SCOPES_BACKEND_CLASS": "accounts.oauth.Scopes",
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 60,
    "ACCESS_TOKEN_EXPIRE_SECONDS": int(timedelta(minutes=15).total_seconds()),
    "REFRESH_TOKEN_EXPIRE_SECONDS": int(timedelta(days=30).total_seconds()),
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https"],
    "OAUTH2_RESPONSE_TYPES_SUPPORTED": ["code"],
    "OAUTH2_GRANT_TYPES_SUPPORTED": ["authorization_code", "client_credentials", "refresh_token"],
    "OIDC_ISS_ENDPOINT": SITE_URL,
    # Every protection of RFC 9700 that the toolkit leaves off.
    **{
        f"COMPLIANT_BCP_RFC9700_{name}": True
        for name in (
            "IMPLICIT_GRANT", "PASSWORD_GRANT", "PKCE_METHOD", "PKCE_REQUIRED", "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS", "TOKEN_STORAGE", "REFRESH_TOKEN", "REDIRECT_URI_SCHEME",
            "REDIRECT_URI_MATCHING",
        )
    },
}  # fmt: skip

# Networks that are not public and that webhooks may lead into; none on a public server.
WEBHOOK_TRUSTED_NETWORKS = environment.words("WEBHOOK_TRUSTED_NETWORKS")
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

# --- REST ------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "api.authentication.BearerAuthentication",
        "api.authentication.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_THROTTLE_CLASSES": ["api.limiting.RestThrottle"],
    "DEFAULT_PARSER_CLASSES": ["api.formats.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["api.formats.PayloadRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "api.problems.answer_problem",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": SITE_NAME,
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["api.schema.add_shapes"],
}
