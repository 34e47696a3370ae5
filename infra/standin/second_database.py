"""Runs a command with another DynamoDB in its environment: `second_database.py <port> <command> ..`. Port 0 is a free one.

The database is the stand-in's, over plain HTTP and without credentials that mean anything; it is gone when the command ends.
"""

import os
import signal
import subprocess
import sys
import tempfile

from server import Server, Trouble


def main():
    port, *command = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="wallet-standin-") as scratch:
        server = Server(scratch, int(port))
        try:
            server.wait()
            return subprocess.run(command, env=os.environ | {"WALLET_TEST_DYNAMODB": server.url}, check=False).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        sys.exit(f"second-database: {trouble}")
