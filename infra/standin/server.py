"""Runs the stand-in for AWS: ministack, on loopback only, in memory, gone when it stops.

It is started with an environment of its own: no credentials or profile of the caller's reach it, and what runs in it
finds no other AWS than itself.
"""

import atexit
import os
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = ROOT / "target" / "venv-standin" / "bin" / "python"
REGION = "us-east-1"
ACCOUNT = "000000000000"
STARTS_WITHIN_S = 60


class Trouble(Exception):
    """What is wrong, and what to do about it."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A running stand-in at `url`. What it says goes to `log`.

    With a `certificate` it speaks TLS; with `roles` it holds every caller to the policies of its role or user.
    """

    def __init__(self, scratch, port=0, roles=False, certificate=None):
        self.port = port or free_port()
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self.tls = ssl.create_default_context(cafile=certificate.authority) if certificate else None
        self.log = ROOT / "target" / "standin.log"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                raise Trouble(f"port {self.port} on 127.0.0.1 is in use by another program; choose another, or none for a free one")
        if not PYTHON.exists():
            raise Trouble(f"{PYTHON} is missing; infra/python-tools standin installs it")
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            # Its defaults are all interfaces, port 4566, and for what runs in it the real AWS.
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "AWS_ENDPOINT_URL": self.url,
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "AUTH": "true" if roles else "false",
            "LAMBDA_EXECUTOR": "local",
            "LOG_LEVEL": "INFO",
            # Services with ports of their own.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
        }
        if certificate:
            environment |= {
                "USE_SSL": "1",
                "MINISTACK_SSL_CERT": str(certificate.server),
                "MINISTACK_SSL_KEY": str(certificate.key),
                # For itself, and for the functions that it starts.
                "SSL_CERT_FILE": str(certificate.authority),
            }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [PYTHON, Path(__file__).with_name("ministack_told_more.py")], cwd=scratch, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

        # However this process ends, but for a kill.
        atexit.register(self.stop)

    def wait(self):
        """Until it serves."""
        until = time.monotonic() + STARTS_WITHIN_S
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=5, context=self.tls):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        self.stop()
        raise Trouble(f"ministack did not start; it says, in {self.log}:\n{self.log.read_text(errors='replace')[-2000:]}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
