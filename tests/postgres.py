"""A real PostgreSQL that belongs to the test session, or the one that VITRINE_TEST_POSTGRES_URL names."""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

POSTGRES_URL = "VITRINE_TEST_POSTGRES_URL"
START_SECONDS = 60
ROLE = "vitrine"
PROGRAMS = ("initdb", "postgres")

EMPTY = ("--no-sync", "--no-locale", "--encoding=UTF8", "--auth=trust", f"--username={ROLE}")
QUICK = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "listen_addresses=")
"""For rows that nobody will miss, on a server that is reached through its socket only."""

UNTIL_INPUT_ENDS = '"$@" & read -r _; kill -QUIT $!; wait $!; rm -rf "$PWD"'
"""The input of the server's shell is a pipe that we hold: it ends with the session, even with one that is killed."""


@cache
def server_url() -> str:
    """Where the tests may make schemas; the first call starts the server, the end of the session stops it.

    Skips the test when PostgreSQL is not installed.
    """
    given = os.environ.get(POSTGRES_URL)
    if given:
        return given
    programs = _programs()
    if programs is None:
        pytest.skip(f"PostgreSQL ({', '.join(PROGRAMS)}) is not installed and {POSTGRES_URL} names no server")
    return _start(programs, Path(tempfile.mkdtemp(prefix="vitrine-postgres-")))


def _programs() -> Path | None:
    """The folder of PostgreSQL's programs: the first on PATH, else the newest of Debian's."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda found: float(found.parent.name))
    for folder in (*os.get_exec_path(), *map(str, reversed(debian))):
        if all(shutil.which(program, path=folder) for program in PROGRAMS):
            return Path(folder)
    return None


def _start(programs: Path, folder: Path) -> str:
    """Its log is in `folder`, and so is its socket."""
    log = folder / "log"
    settings = [argument for setting in QUICK for argument in ("-c", setting)]
    with _run([f"{programs}/initdb", "--pgdata=data", *EMPTY], log) as initdb:
        pass
    if initdb.returncode == 0:
        postgres = [f"{programs}/postgres", "-D", "data", "-k", str(folder), *settings]
        atexit.register(_run(["/bin/sh", "-c", UNTIL_INPUT_ENDS, "sh", *postgres], log).communicate)
        url = sa.URL.create("postgresql+psycopg", ROLE, database="postgres", query={"host": str(folder)})
        if _answers(url):
            return url.render_as_string()
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')}")


def _run(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """PostgreSQL refuses to run as root: then the folder of the log is given to another user, who runs the command."""
    user = _unprivileged() if os.geteuid() == 0 else None
    if user is not None:
        os.chown(log.parent, user.pw_uid, user.pw_gid)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=log.parent,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            user=user and user.pw_uid,
            group=user and user.pw_gid,
            extra_groups=None if user is None else [],
            start_new_session=True,  # an interrupt from the keyboard is for us alone
        )


def _unprivileged() -> pwd.struct_passwd:
    users = {user.pw_name: user for user in pwd.getpwall()}
    return users.get("postgres") or users["nobody"]


def _answers(url: sa.URL) -> bool:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            engine.connect().close()
        except OperationalError:
            time.sleep(0.02)
        else:
            return True
    return False
