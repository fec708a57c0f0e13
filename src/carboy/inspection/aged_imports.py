"""What old code says at its import when a library or Python moved on."""

from carboy.inspection.aged_rules import import_sign, rule

# Flask 1 left the ranges of its companions open: whoever stays on it needs all of them held back.
FLASK_1 = ("flask<2", "werkzeug<2.1", "jinja2<3.1", "markupsafe<2.1", "itsdangerous<2.1", "click<8.1")
FLASK_2_2 = ("flask<2.3", "werkzeug<3")
FLASK_SQLALCHEMY_2 = ("flask-sqlalchemy<3", "sqlalchemy<2", *FLASK_2_2)
_SHUT = "secure_filename|generate_password_hash|check_password_hash|cached_property|import_string|abort|redirect"
_SHUT += "|FileStorage|BaseResponse|Response|Request|Headers|LocalProxy|Local|url_encode|url_decode|url_quote|html"
_SHUT += "|MultiDict|ImmutableMultiDict|run_simple|wrap_file|escape|parse_options_header|SharedDataMiddleware"
_URLS = "url_[a-z_]+|iri_to_uri_safe|Href|uri_to_iri_safe|BytesURL|URL"

# The first sign that is found decides: Python itself, then Flask, then the rest.
IMPORT_RULES = (
    # Python itself
    rule(
        r"flask[/\\]sessions\.py[\s\S]{0,300}from 'collections'",
        "flask",
        "Flask 1.0 takes abstract classes from `collections`, which Python 3.10 ended",
        ("flask>=1.1,<2", *(cap for cap in FLASK_1 if not cap.startswith("flask"))),
        ("3.9", "3.8"),
    ),
    rule(
        r"initialization of _psycopg raised unreported exception",
        "psycopg2",
        "this psycopg2 is older than Python {python}",
        ("psycopg2-binary>=2.9.10", "psycopg2; python_version < '0'"),
        ("3.10", "3.9", "3.8"),
    ),
    rule(
        r"cannot import name '(Mapping|MutableMapping|Sequence|Iterable|Callable|Hashable|Sized|Iterator|Set)'"
        r" from 'collections'|module 'collections' has no attribute '(?:Mapping|Mutable\w+|Iterable|Callable|\w+)'",
        "python",
        "the code takes abstract classes from `collections`, which Python 3.10 ended",
        pythons=("3.9", "3.8"),
    ),
    rule(
        r"(formatargspec|getargspec)\b",
        "python",
        "the code uses inspect.{0}, which Python 3.11 took away",
        pythons=("3.10", "3.9", "3.8"),
    ),
    rule(
        r"module 'asyncio' has no attribute '(coroutine|async)'",
        "python",
        "the code uses asyncio.{0}, which Python 3.11 took away",
        pythons=("3.10", "3.9", "3.8"),
    ),
    rule(
        r"No module named 'distutils'",
        "python",
        "the code uses distutils, which Python 3.12 took away",
        ("setuptools<81",),
        ("3.11", "3.10", "3.9"),
    ),
    rule(
        r"No module named '(imp|asyncore|asynchat|smtpd)'",
        "python",
        "the code uses the module {0}, which Python 3.12 took away",
        pythons=("3.11", "3.10", "3.9"),
    ),
    rule(
        r"module 'pkgutil' has no attribute 'ImpImporter'|module 'ssl' has no attribute 'wrap_socket'"
        r"|module 'configparser' has no attribute 'SafeConfigParser'|cannot import name 'SafeConfigParser'",
        "python",
        "the code uses what Python 3.12 took away",
        pythons=("3.11", "3.10", "3.9"),
    ),
    rule(
        r"No module named '(cgi)'",
        "python",
        "the code uses the module cgi, which Python 3.13 took away",
        ("legacy-cgi",),
        ("3.12", "3.11"),
    ),
    rule(
        r"No module named '(imghdr|telnetlib|pipes|crypt|nntplib|sndhdr|uu|xdrlib|chunk|aifc|sunau|mailcap|cgitb)'",
        "python",
        "the code uses the module {0}, which Python 3.13 took away",
        ("standard-{0}",),
        ("3.12", "3.11"),
    ),
    rule(
        r"No module named '(audioop|spwd|nis|msilib|ossaudiodev|lib2to3)'",
        "python",
        "the code uses the module {0}, which Python 3.13 took away",
        pythons=("3.12", "3.11"),
    ),
    rule(
        r"SQLCoreOperations'> directly inherits TypingOnly",
        "sqlalchemy",
        "this SQLAlchemy is older than Python 3.13",
        pythons=("3.12", "3.11"),
    ),
    rule(
        r"module 'ast' has no attribute '(Str|Num)'|module 'pkgutil' has no attribute '(?:get|find)_loader'",
        "python",
        "the code uses what Python 3.14 took away",
        pythons=("3.13", "3.12", "3.11"),
    ),
    rule(
        r"module 'time' has no attribute 'clock'|module 'cgi' has no attribute 'escape'",
        "python",
        "the code uses what Python 3.8 took away",
        pythons=("3.7",),
    ),
    rule(
        r"cannot import name 'gcd' from 'fractions'|has no attribute 'isAlive'|'tostring'|encodestring",
        "python",
        "the code uses what Python 3.9 took away",
        pythons=("3.8",),
    ),
    rule(
        r"cannot import name '(?:EPollSelector|_ssl|loop)'|invalid syntax[^\n]*\n?.*\basync\s*=",
        "python",
        "the code uses `async` as a name, which Python 3.7 reserves",
        pythons=("3.6",),
    ),
    # setuptools
    rule(
        r"No module named '?pkg_resources'?",
        "setuptools",
        "pkg_resources was part of setuptools until 82, which took it away",
        ("setuptools<81",),
    ),
    # Flask and its companions
    rule(
        r"jinja2[\s\S]{0,400}flask[/\\]__init__\.py|flask[/\\](?:__init__|app|json[/\\]__init__)\.py[\s\S]{0,400}"
        r"(?:jinja2|itsdangerous|markupsafe|werkzeug)['\"]",
        "flask",
        "this Flask 1 does not go with the newest of its own companions",
        FLASK_1,
    ),
    rule(
        import_sign(
            "escape|Markup|contextfunction|contextfilter|environmentfilter|evalcontextfilter|environmentfunction",
            "jinja2(?:\\.\\w+)?",
        ),
        "jinja2",
        "Jinja 3.1 took {0} away",
        ("jinja2<3.1",),
    ),
    rule(
        r"module 'jinja2' has no attribute '(Markup|escape|contextfunction|contextfilter|environmentfilter)'",
        "jinja2",
        "Jinja 3.1 took {0} away",
        ("jinja2<3.1",),
    ),
    rule(r"No module named 'jinja2\.(_compat|asyncsupport)'", "jinja2", "Jinja 3 took {0} away", ("jinja2<3",)),
    rule(r"'soft_unicode'", "markupsafe", "MarkupSafe 2.1 took soft_unicode away", ("markupsafe<2.1",)),
    rule(
        import_sign("TimedJSONWebSignatureSerializer|JSONWebSignatureSerializer|json|TimedJSON\\w+", "itsdangerous"),
        "itsdangerous",
        "ItsDangerous 2.1 took {0} away",
        ("itsdangerous<2.1",),
    ),
    rule(
        r"No module named '(flask_uploads)'|flask_uploads[\s\S]{0,300}cannot import name",
        "flask-uploads",
        "Flask-Uploads is given up and does not go with Werkzeug 1; Flask-Reuploaded is the same, kept up",
        ("flask-reuploaded", "flask-uploads; python_version < '0'"),
    ),
    rule(
        import_sign("Markup|escape", "flask"),
        "flask",
        "Flask 3 took {0} away; it lives in markupsafe",
        ("flask<3", "werkzeug<3"),
    ),
    rule(r"No module named 'flask\.(_compat|ext[.\w]*)'", "flask", "Flask took flask.{0} away", FLASK_1),
    rule(
        r"'(?:_FakeStack|LocalStack)' object has no attribute '(__ident_func__)'",
        "flask",
        "Flask 2.2 took {0} away, which Flask-SQLAlchemy 2.4 uses",
        ("flask<2.2", "werkzeug<2.1", "sqlalchemy<2"),
    ),
    rule(
        import_sign("_request_ctx_stack|_app_ctx_stack|JSONEncoder|JSONDecoder|json_available", "flask(?:\\.\\w+)*"),
        "flask",
        "Flask 2.3 took {0} away",
        FLASK_2_2,
    ),
    rule(
        r"has no attribute '(before_first_request|before_app_first_request|json_encoder|json_decoder"
        r"|_got_first_request|propagate_exceptions|session_cookie_name)'",
        "flask",
        "Flask 2.3 took {0} away",
        FLASK_2_2,
    ),
    rule(
        r"No module named 'werkzeug\.(contrib[.\w]*)'",
        "werkzeug",
        "Werkzeug 1 took werkzeug.{0} away",
        ("werkzeug<1", *(cap for cap in FLASK_1 if not cap.startswith("werkzeug"))),
    ),
    rule(
        import_sign("DispatcherMiddleware|SharedDataMiddleware|ProxyMiddleware", "werkzeug\\.wsgi"),
        "werkzeug",
        "Werkzeug 1 moved {0}",
        ("werkzeug<1", *(cap for cap in FLASK_1 if not cap.startswith("werkzeug"))),
    ),
    rule(
        import_sign(_SHUT, "werkzeug"),
        "werkzeug",
        "Werkzeug 1 took {0} out of its top module",
        ("werkzeug<1", *(cap for cap in FLASK_1 if not cap.startswith("werkzeug"))),
    ),
    rule(
        import_sign("safe_str_cmp|pbkdf2_\\w+", "werkzeug\\.security"),
        "werkzeug",
        "Werkzeug 2.1 took {0} away",
        ("werkzeug<2.1", "flask<2.2"),
    ),
    rule(
        import_sign("BaseResponse|BaseRequest|\\w+Mixin", "werkzeug\\.wrappers(?:\\.\\w+)?"),
        "werkzeug",
        "Werkzeug 2.1 took {0} away",
        ("werkzeug<2.1", "flask<2.2"),
    ),
    rule(
        import_sign("parse_rule", "werkzeug\\.routing(?:\\.\\w+)?"),
        "werkzeug",
        "Werkzeug 2.2 took {0} away",
        ("werkzeug<2.2", "flask<2.3"),
    ),
    rule(import_sign(_URLS, "werkzeug\\.urls"), "werkzeug", "Werkzeug 3 took {0} away", ("werkzeug<3", "flask<3")),
    rule(
        r"module 'werkzeug\.urls' has no attribute '(\w+)'",
        "werkzeug",
        "Werkzeug 3 took {0} away",
        ("werkzeug<3", "flask<3"),
    ),
    rule(
        r"module 'werkzeug' has no attribute '__version__'",
        "werkzeug",
        "Werkzeug 3.1 took __version__ away",
        ("werkzeug<3.1",),
    ),
    rule(
        import_sign(
            "pop_path_info|peek_path_info|get_path_info|get_script_name|get_query_string|extract_path_info",
            "werkzeug\\.wsgi",
        ),
        "werkzeug",
        "Werkzeug 2.3 took {0} away",
        ("werkzeug<2.3", "flask<2.3"),
    ),
    rule(
        r"module 'click' has no attribute '(get_os_args)'|No module named 'click\.(_bashcomplete)'",
        "click",
        "Click 8 took {0} away",
        ("click<8",),
    ),
    # Forms, data, the rest
    rule(
        r"No module named 'wtforms\.(ext[.\w]*|fields\.html5|widgets\.html5|compat)'",
        "wtforms",
        "WTForms 3 took wtforms.{0} away",
        ("wtforms<3",),
    ),
    rule(
        import_sign("Required|TextField|html5|HTMLString|compat", "wtforms(?:\\.\\w+)*"),
        "wtforms",
        "WTForms 3 took {0} away",
        ("wtforms<3",),
    ),
    rule(
        r"Install 'email_validator' for email validation support",
        "email-validator",
        "WTForms' Email field needs email_validator, which it does not install",
        ("email-validator",),
    ),
    rule(
        import_sign("BaseQuery|get_debug_queries|SignallingSession|_QueryProperty|Model", "flask_sqlalchemy")
        + r"|SQLAlchemy\.__init__\(\) got an unexpected keyword argument"
        + r"|'SQLAlchemy' object has no attribute 'get_app'",
        "flask-sqlalchemy",
        "Flask-SQLAlchemy 3 changed what the code uses",
        FLASK_SQLALCHEMY_2,
    ),
    rule(
        r"create_all\(\)[\s\S]*Working outside of application context",
        "flask-sqlalchemy",
        "tables are made outside of an application context, which Flask-SQLAlchemy 3 does not allow",
        FLASK_SQLALCHEMY_2,
    ),
    rule(
        r"module 'sqlalchemy' has no attribute '__all__'",
        "sqlalchemy",
        "this Flask-SQLAlchemy is older than SQLAlchemy 2",
        ("sqlalchemy<2",),
    ),
    rule(
        r"'Engine' object has no attribute 'execute'|Not an executable object|Textual SQL expression"
        r"|MappedAnnotationError|should be explicitly declared as text|unexpected keyword argument 'autocommit'"
        r"|__init__\(\) got an unexpected keyword argument '(?:bind|convert_unicode)'"
        r"|cannot import name '(?:_ColumnEntity|mapper|eagerload|_declarative_constructor|Load|Binary)' from"
        r" 'sqlalchemy|Can't find strategy \(\('lazy', '(?:dynamic_loader)|select\(\) (?:construct|takes|got)"
        r"|Column expression, FROM clause, or other columns clause element expected, got \[",
        "sqlalchemy",
        "SQLAlchemy 2 took away what the code uses",
        ("sqlalchemy<2",),
    ),
    rule(
        r"Can't load plugin: sqlalchemy\.dialects:postgres\b",
        "sqlalchemy",
        "SQLAlchemy 1.4 ended `postgres://`; write the address as `postgresql://`",
        ("sqlalchemy<1.4",),
    ),
    rule(
        r"No module named 'psycopg'",
        "sqlalchemy",
        "SQLAlchemy 2.1 takes `postgresql://` to mean psycopg 3, which is not installed",
        ("sqlalchemy<2.1",),
    ),
    rule(
        r"module 'marshmallow' has no attribute '__version_info__'|marshmallow[\s\S]{0,400}unexpected keyword argument"
        r" '(?:missing|default|load_from)'|__init__\(\) got an unexpected keyword argument '(?:missing|default)'",
        "marshmallow",
        "marshmallow 4 changed what the code uses",
        ("marshmallow<4",),
    ),
    rule(
        r"unexpected keyword argument 'strict'|'UnmarshalResult'",
        "marshmallow",
        "marshmallow 3 changed what the code uses",
        ("marshmallow<3",),
    ),
    rule(
        r"'EntryPoints' object has no attribute 'get'",
        "importlib-metadata",
        "importlib-metadata 5 changed what Celery uses",
        ("importlib-metadata<5",),
    ),
    rule(
        r"compiled using NumPy 1|numpy\.dtype size changed|was removed in the NumPy 2|_ARRAY_API not found",
        "numpy",
        "a package was compiled for NumPy 1, and NumPy 2 is installed",
        ("numpy<2",),
    ),
    rule(
        r"module 'numpy' has no attribute '(int|float|bool|object|str|complex|long|typeDict)'",
        "numpy",
        "NumPy 1.24 took numpy.{0} away",
        ("numpy<1.24",),
        ("3.11", "3.10"),
    ),
    rule(
        r"eventlet[^\n]*(?:class uri|removed|deprecat|not found)|class uri '?eventlet|ggeventlet'? invalid",
        "gunicorn",
        "Gunicorn 26 dropped the eventlet worker",
        ("gunicorn<26",),
    ),
    rule(
        r"gevent worker requires|ggevent[\s\S]{0,300}No module named 'packaging'",
        "gunicorn",
        "Gunicorn's gevent worker needs packages that plain Gunicorn does not install",
        ("gunicorn[gevent]",),
    ),
    rule(
        r"Please install connexion using the 'flask' extra|module 'connexion' has no attribute|connexion[\s\S]{0,200}"
        r"No module named 'a2wsgi'",
        "connexion",
        "connexion 3 is another library",
        ("connexion<3",),
    ),
)  # fmt: skip  (a table reads better in rows)

# Import names that tell their package, for what requirement files forget.
PACKAGES = {
    "PIL": "pillow", "yaml": "pyyaml", "dotenv": "python-dotenv", "bs4": "beautifulsoup4", "cv2":
    "opencv-python-headless", "sklearn": "scikit-learn", "jwt": "pyjwt", "dateutil": "python-dateutil",
    "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient", "pymysql": "pymysql", "magic": "python-magic",
    "Crypto": "pycryptodome", "serial": "pyserial", "git": "gitpython", "socketio": "python-socketio",
    "engineio": "python-engineio", "markdown": "markdown", "requests": "requests", "redis": "redis",
    "celery": "celery", "sqlalchemy": "sqlalchemy", "peewee": "peewee", "marshmallow": "marshmallow",
    "wtforms": "wtforms", "email_validator": "email-validator", "asgiref": "asgiref", "six": "six", "pytz": "pytz",
    "cryptography": "cryptography", "bcrypt": "bcrypt", "boto3": "boto3", "numpy": "numpy", "pandas": "pandas",
    "gevent": "gevent", "eventlet": "eventlet", "pymongo": "pymongo", "werkzeug": "werkzeug", "click": "click",
    "importlib_metadata": "importlib-metadata", "flask": "flask", "mistune": "mistune", "humanize": "humanize",
}  # fmt: skip
