"""What the builds of old packages say when Python, setuptools or a compiler moved on."""

from carboy.inspection.aged_rules import rule

_OLD_PILLARS = r"(Feature|find_namespace_package)"

# The order counts: the first sign that is found decides.
BUILD_RULES = (
    rule(
        r"Failed to build [`']?psycopg2-binary==",
        "psycopg2-binary",
        "psycopg2-binary {pin} has no wheel for Python {python}",
        ("psycopg2-binary>={pin}",),
        ("3.12", "3.11", "3.10", "3.9", "3.8"),
        ("libpq-dev",),
    ),
    rule(
        r"Failed to build [`']?psycopg2==|pg_config executable not found",
        "psycopg2",
        "psycopg2 is compiled here, which does not go; psycopg2-binary is the same, compiled already",
        ("psycopg2-binary=={pin}", "psycopg2; python_version < '0'"),
        (),
        ("libpq-dev",),
        (("psycopg2-binary>={pin}", "psycopg2; python_version < '0'"),),
    ),
    rule(
        r"Failed to build [`']?(mysql-python)==",
        "mysql-python",
        "mysql-python is written for Python 2; mysqlclient is its successor",
        ("mysqlclient", "mysql-python; python_version < '0'"),
    ),
    rule(
        r"Failed to build [`']?(pycrypto)==",
        "pycrypto",
        "pycrypto was given up in 2013; pycryptodome is the same, kept up",
        ("pycryptodome", "pycrypto; python_version < '0'"),
        ("3.9", "3.8"),
    ),
    rule(
        r"Failed to build [`']?(uwsgi)==",
        "uwsgi",
        "uWSGI is compiled here, which does not go; Carboy brings a server of its own",
        ("uwsgi; python_version < '0'",),
    ),
    rule(
        r"Failed to build [`']?(distribute)==",
        "distribute",
        "distribute went back into setuptools in 2013",
        ("setuptools<81", "distribute; python_version < '0'"),
    ),
    rule(
        r"^error: compiling it takes longer than",
        "{failed}",
        "{failed} has no wheel for Python {python}, and compiling it takes long",
        ("{failed}>={pin}",),
        ("3.12", "3.11", "3.10", "3.9", "3.8"),
    ),
    rule(
        r"mysql_config[^\n]*not found|Can not find valid pkg-config name|MYSQLCLIENT_CFLAGS",
        "mysqlclient",
        "mysqlclient is compiled here and the client library of MySQL or MariaDB is missing",
        system=("default-libmysqlclient-dev", "pkg-config"),
    ),
    rule(
        r"lber\.h|ldap\.h|sasl\.h",
        "python-ldap",
        "python-ldap is compiled and OpenLDAP's headers are missing",
        system=("libldap2-dev", "libsasl2-dev"),
    ),
    rule(
        r"libxml/xmlversion\.h|xmlCheckVersion",
        "lxml",
        "lxml is compiled here and libxml2's headers are missing",
        ("lxml>={pin}",),
        ("3.11", "3.10", "3.9", "3.8"),
        ("libxml2-dev", "libxslt1-dev"),
    ),
    rule(
        r"ffi\.h: No such file",
        "cffi",
        "cffi is compiled here and libffi's headers are missing",
        ("cffi>={pin}",),
        ("3.11", "3.10", "3.9", "3.8"),
        ("libffi-dev",),
    ),
    rule(
        r"use_2to3 is invalid",
        "{failed}",
        "{failed} is translated from Python 2 while it is built, which setuptools 58 took away",
        ("setuptools<58",),
    ),
    rule(
        rf"cannot import name '{_OLD_PILLARS}' from 'setuptools'",
        "{failed}",
        "the build of {failed} uses {0}, which setuptools 46 took away",
        ("setuptools<46",),
        ("3.9", "3.8"),
        otherwise=(("{failed}>={pin}",),),
    ),
    rule(
        r"No module named '?(ConfigParser|commands|urllib2|StringIO|__builtin__)'?|Missing parentheses in call to",
        "{failed}",
        "{failed} is written for Python 2",
    ),
    rule(
        r"No module named '?(pip(?:\.req|\.download|\._internal)?)'?|parse_requirements",
        "{failed}",
        "the build of {failed} reads its requirements through pip's insides",
        ("{failed}>={pin}",),
    ),
    rule(
        r"has no attribute 'cython_sources'",
        "{failed}",
        "{failed} is built with Cython, which moved on to 3",
        ("{failed}>={pin}",),
        ("3.9", "3.8"),
    ),
    rule(
        r"only versions >=([\d.]+),<([\d.]+) are supported|Python version >= ?[\d.]+ (?:and < ?[\d.]+ )?required",
        "{failed}",
        "this version of {failed} is for older Pythons",
        ("{failed}>={pin}",),
        ("3.11", "3.10", "3.9", "3.8"),
    ),
    rule(
        r"can't find Rust compiler|cargo[^\n]*not (?:installed|found)|Rust toolchain",
        "{failed}",
        "{failed} has no wheel for this Python, and is compiled with Rust, which is missing",
        ("{failed}>={pin}",),
        ("3.11", "3.10", "3.9"),
    ),
    rule(
        r"No module named 'distutils'",
        "{failed}",
        "the build of {failed} uses distutils, which Python 3.12 took away",
        ("{failed}>={pin}",),
        ("3.11", "3.10", "3.9", "3.8"),
    ),
    rule(
        r"module 'pkgutil' has no attribute 'ImpImporter'|No module named 'imp'",
        "{failed}",
        "the build of {failed} uses what Python 3.12 took away",
        ("{failed}>={pin}",),
        ("3.11", "3.10", "3.9", "3.8"),
    ),
    rule(
        r"No module named '?pkg_resources'?",
        "{failed}",
        "the build of {failed} uses pkg_resources, which setuptools 82 took away",
        ("setuptools<81",),
    ),
    rule(
        r"longintrepr\.h|'?PyThreadState'? (?:has no|\{|.*has no member)|_PyTime|tp_print|exc_traceback"
        r"|invalid use of incomplete typedef|lvalue required as left operand|PyInterpreterState|PyUnicode_\w+"
        r"|No such file or directory: 'gcc'|command '?gcc'? failed|Command '\['gcc'",
        "{failed}",
        "{failed} has no wheel for Python {python}, and its C code is older than that Python",
        ("{failed}>={pin}",),
        ("3.11", "3.10", "3.9", "3.8"),
    ),
)  # fmt: skip  (a table reads better in rows)
