"""The installer, with a package of our own in a folder as the only source: no network is asked."""

from __future__ import annotations

import hashlib
import os
import re
import runpy
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
INSTALLER = ROOT / ".ci" / "install.py"
in_words_of_uv = runpy.run_path(str(INSTALLER))["in_words_of_uv"]
NAME = "tiny-1.0-py3-none-any.whl"
INFO = "tiny-1.0.dist-info"


@pytest.fixture
def source(tmp_path):
    """A folder with one wheel, and the lock of it."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    with zipfile.ZipFile(folder / NAME, "w") as wheel:
        wheel.writestr("tiny.py", "WORD = 'here'\n")
        wheel.writestr(f"{INFO}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(f"{INFO}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{INFO}/RECORD", f"tiny.py,,\n{INFO}/METADATA,,\n{INFO}/WHEEL,,\n{INFO}/RECORD,,\n")
    return folder


def lock_of(source, digest=None):
    digest = digest or hashlib.sha256((source / NAME).read_bytes()).hexdigest()
    lock = source / "tiny.lock"
    lock.write_text(f"tiny==1.0 \\\n    --hash=sha256:{digest}\n")
    return lock


def install(source, lock, environment, **settings):
    """Run the installer where the folder is all that there is; uv is not in it."""
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(source), "PIP_CONFIG_FILE": os.devnull, **settings}
    return subprocess.run(
        [sys.executable, str(INSTALLER), str(environment), str(lock), "--packages-only"],
        env={**os.environ, **settings}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def installer_of(environment):
    """Who installed the package: pip and uv both note it."""
    (note,) = environment.glob(f"lib/python*/site-packages/{INFO}/INSTALLER")
    return note.read_text().strip()


def hand_over_uv(environment):
    """Put the uv of this environment into another one."""
    try:
        here = distribution("uv")
    except PackageNotFoundError:
        pytest.skip("there is no uv here: pip made this environment")
    (folder,) = environment.glob("lib/python*/site-packages")
    for file in here.files:
        target = (folder / file).resolve()
        target.parent.mkdir(exist_ok=True)
        shutil.copy2(file.locate(), target)


@pytest.mark.proof
def test_uv_installs_or_else_pip_and_both_check_each_hash(source, tmp_path):
    environment = tmp_path / "environment"
    wrong = install(source, lock_of(source, "0" * 64), environment)
    assert wrong.returncode != 0
    assert "DO NOT MATCH THE HASHES" in wrong.stderr
    done = install(source, lock_of(source), environment)
    assert done.returncode == 0, done.stderr
    assert "pip does" in done.stderr
    assert installer_of(environment) == "pip"
    hand_over_uv(environment)
    python = str(environment / "bin" / "python")
    subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", "tiny"], check=True)
    wrong = install(source, lock_of(source, "0" * 64), environment)
    assert wrong.returncode != 0
    assert "Hash mismatch for `tiny==1.0`" in wrong.stderr
    done = install(source, lock_of(source), environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert installer_of(environment) == "uv"
    word = subprocess.run([python, "-c", "import tiny; print(tiny.WORD)"], capture_output=True, text=True, check=True)
    assert word.stdout == "here\n"


def test_settings_of_pip_are_said_in_uvs_words():
    listed = (
        ":env:.timeout='180'\nglobal.index-url='https://packages.example/a=b'\nglobal.timeout='15'\n"
        "install.index-url='https://packages.example/simple'\nglobal.extra-index-url='https://one.example\\nhttps://two.example'\n"
        "global.trusted-host='packages.example'\nglobal.cert='/etc/ca.pem'\nglobal.no-color='true'\nglobal.proxy=''\nglobal.no-index='1'\n"
    )
    assert in_words_of_uv(listed) == {
        "UV_DEFAULT_INDEX": "https://packages.example/simple",
        "UV_INDEX": "https://one.example https://two.example",
        "UV_INSECURE_HOST": "packages.example",
        "SSL_CERT_FILE": "/etc/ca.pem",
        "UV_HTTP_TIMEOUT": "180",
        "UV_OFFLINE": "1",
    }


def test_a_folder_of_packages_that_is_not_there_is_passed_over(tmp_path):
    listed = f"global.find-links='{tmp_path} {tmp_path}/nothing https://packages.example/wheels'\n"
    assert in_words_of_uv(listed) == {"UV_FIND_LINKS": f"{tmp_path},https://packages.example/wheels"}


def blocks(lock):
    """Each package of a lock, with version and hashes. A marker is left out: in a part of a lock it may be weaker."""
    text = (ROOT / lock).read_text()
    return {
        (pin.partition(" ;")[0].removesuffix(" \\"), tuple(sorted(re.findall(r"sha256:\w{64}", rest))))
        for pin, _, rest in (block.partition("\n") for block in re.split(r"\n(?=\S)", text.strip()))
    }


def test_the_demo_has_the_packages_of_the_tests():
    assert 20 < len(blocks(".ci/demo.lock")) < len(blocks("requirements.lock")) / 3
    assert blocks(".ci/demo.lock") <= blocks("requirements.lock")


@pytest.mark.parametrize("lock", ["requirements.lock", ".ci/demo.lock", ".ci/uv.lock"])
def test_a_lock_has_a_hash_for_every_package_and_names_no_index(lock):
    text = (ROOT / lock).read_text()
    assert all(hashes for _, hashes in blocks(lock))
    assert "://" not in text
    assert "--index" not in text
