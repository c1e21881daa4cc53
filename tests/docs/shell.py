"""A shell for the pages: bash runs their scripts, and this process runs the commands in them.

`ninja-sync`, `python` and `make demo` are small programs here, which hand their arguments, environment and input to the
test process. That saves the half second that each command needs for its imports.
"""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import selectors
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest import mock

from typer.main import get_command

from flows.cli.app import app
from flows.show import show
from flows.show.describe import describe
from tests.docs.pages import ROOT, Block

NINJA_SYNC = get_command(app)  # built once: it takes a fifth of a second
COLUMNS = 80  # of the terminal in which the pages' outputs were made
MARK = "-- end of a block --"
PROGRAM = """#!{python} -IS
import json, os, socket, sys

call = [os.path.basename(sys.argv[0]), sys.argv[1:], os.getcwd(), dict(os.environ), sys.stdin.read()]
with socket.socket(socket.AF_UNIX) as line:
    line.connect({address!r})
    line.sendall(json.dumps(call).encode())
    line.shutdown(socket.SHUT_WR)
    answer = json.loads(b"".join(iter(lambda: line.recv(65536), b"")))
if os.path.sameopenfile(1, 2):
    sys.stdout.write(answer["both"])
else:
    sys.stdout.write(answer["output"])
    sys.stderr.write(answer["errors"])
sys.exit(answer["code"])
"""
AS_SHELL = {  # how bash does what a block of this language is for
    "sh": "{text}",
    "python": "python - <<'END OF PYTHON'\n{text}END OF PYTHON\n",
    "csv": "cat > {file} <<'END OF FILE'\n{text}END OF FILE\n",
}
PLANS: dict[str, tuple[str, str]] = {}  # the last plan of each kind and its digest; the newest one stands last
EXAMPLES = re.compile(r"\b(?P<kind>push|merge)-20261128-1a2b3c\b|\b0123456789abcdef\b|\b1a2b3c4d\b|\bBACKUP\.json\b")


@dataclass(frozen=True)
class Answer:
    """How a command ended: its exit code, what it wrote to both outputs, and the two in the order of a terminal."""

    code: int
    output: str
    errors: str
    both: str


class _Copied(io.BytesIO):
    """An output that is written to a second place too."""

    def __init__(self, copy: io.BytesIO) -> None:
        super().__init__()
        self._copy = copy

    def write(self, part: bytes) -> int:
        self._copy.write(part)
        return super().write(part)


def run(program: str, arguments: list[str], stdin: str = "") -> Answer:
    """Run one command in this process, in its present folder and environment."""
    both = io.BytesIO()
    output, errors = _Copied(both), _Copied(both)
    with (
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8")),
        redirect_stdout(io.TextIOWrapper(output, "utf-8", write_through=True)),
        redirect_stderr(io.TextIOWrapper(errors, "utf-8", write_through=True)),
        mock.patch.object(show, "WIDTH_OF_FILES", COLUMNS),
    ):
        code = _code_of(program, arguments)
        _note_plan(both.getvalue().decode())
        return Answer(code, *(text.getvalue().decode() for text in (output, errors, both)))


def _code_of(program: str, arguments: list[str]) -> int:
    """Run a command on the streams of this process; its exit code."""
    try:
        _start(program, arguments)
    except SystemExit as ended:
        return ended.code or 0
    except Exception as problem:  # noqa: BLE001 - as the command line does
        message, code = describe(problem)
        sys.stderr.write(f"{program}: {message}\n")
        return code
    return 0


def _start(program: str, arguments: list[str]) -> None:
    match program, arguments:
        case "ninja-sync", _:
            NINJA_SYNC([_as_it_is_here(argument) for argument in arguments], prog_name="ninja-sync")
        case "make", ["demo"]:
            recipe = re.search(r"^demo:.*\n\t\$\(BIN\)/ninja-sync (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
            NINJA_SYNC(recipe[1].split(), prog_name="ninja-sync")
        case "python", ["-"]:
            exec(sys.stdin.read(), {"__name__": "__main__"})  # noqa: S102 - the code of our own pages
        case "python", ["-c", code]:
            exec(code, {"__name__": "__main__"})  # noqa: S102 - as above
        case "python", [path, *more]:
            with mock.patch.object(sys, "argv", [path, *more]):
                runpy.run_path(path, run_name="__main__")
        case _:
            raise AssertionError(f"The pages have no such program: {program} {arguments}.")


def _as_it_is_here(argument: str) -> str:
    """An argument with the example's plan, digest, queued change or backup replaced by the newest one that is there."""
    return EXAMPLES.sub(_newest, argument)


def _newest(example: re.Match[str]) -> str:
    if example["kind"]:
        return PLANS[example["kind"]][0]
    if example[0] == "1a2b3c4d":
        return json.loads(run("ninja-sync", ["push", "queue", "--json"]).output)[0]["change_id"][:8]
    if example[0] == "BACKUP.json":
        return str(max(Path("warehouse.duckdb.backups").glob("*.json")))
    return next(reversed(PLANS.values()))[1]


def _note_plan(output: str) -> None:
    """Remember the plan that a command has made, which says how to apply it."""
    for kind, plan, digest in re.findall(r"ninja-sync (push|merge) apply (\S+) --digest (\w+)", output):
        PLANS.pop(kind, None)
        PLANS[kind] = plan, digest


def _as_script(block: Block) -> str:
    text = AS_SHELL[block.language].format(text=block.text, file=block.file)
    return f"if {{\n{text}}}; then exit 99; else test $? -eq {block.code}; fi\n" if block.code else text


def run_blocks(blocks: list[Block], folder: Path, environment: dict[str, str]) -> list[str]:
    """Run a page's blocks as one script in bash; what each of them printed, both outputs together."""
    script = f"printf '%s\\n' '{MARK}'\n".join(map(_as_script, blocks))
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as line:  # a socket's path is short
        address = str(Path(short) / "line")
        line.bind(address)
        line.listen()
        for name in ("ninja-sync", "python", "make"):
            program = Path(short) / name
            program.write_text(PROGRAM.format(python=sys.executable, address=address))
            program.chmod(0o700)
        path = f"{short}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        code, output = _bash(script, line, folder, {**environment, "PATH": path, "HOME": str(folder)})
    assert code == 0, output[-3000:]
    return output.split(f"{MARK}\n")


def _bash(script: str, line: socket.socket, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run a script and the commands for which its programs call; the exit code and the output."""
    command = ["bash", "-Eeuo", "pipefail", "-c", f"trap 'echo \"failed: $BASH_COMMAND\"' ERR\n{script}"]
    output = b""
    with (
        subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process,
        selectors.DefaultSelector() as events,
    ):  # fmt: skip
        events.register(line, selectors.EVENT_READ)
        events.register(process.stdout, selectors.EVENT_READ)
        while True:
            for event, _ in events.select():
                if event.fileobj is line:
                    _answer(line)
                elif part := os.read(process.stdout.fileno(), 65536):
                    output += part
                else:
                    return process.wait(), output.decode()


def _answer(line: socket.socket) -> None:
    """Take one call of a program, run it as if it stood where the program was called, and return its answer."""
    caller, _ = line.accept()
    with caller:
        call = json.loads(b"".join(iter(lambda: caller.recv(65536), b"")))
        program, arguments, folder, environment, stdin = call
        with _standing_in(folder, environment):
            answer = run(program, arguments, stdin)
        caller.sendall(json.dumps(asdict(answer)).encode())


@contextmanager
def _standing_in(folder: str, environment: dict[str, str]) -> Iterator[None]:
    with chdir(folder), mock.patch.dict(os.environ, environment, clear=True):
        yield
