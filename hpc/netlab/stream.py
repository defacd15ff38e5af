"""What one plain TCP stream carries: `stream.py receive SECONDS` on one host, `stream.py send ADDRESS` on another.

The receiver prints the payload's rate in Mbit/s, after a second in which the stream gets going.
"""

import socket
import sys
import time

PORT = 19999
CHUNK = 1 << 18
START_SECONDS = 1
CONNECT_SECONDS = 10


def receive(seconds):
    with socket.create_server(("", PORT)) as listener:
        stream, _ = listener.accept()
    buffer = bytearray(CHUNK)
    received = 0
    began = None
    opened = time.monotonic()
    with stream:
        while got := stream.recv_into(buffer):
            now = time.monotonic()
            if began is not None:
                received += got
                if now >= began + seconds:
                    break
            elif now >= opened + START_SECONDS:
                began = now
    print(f"{received * 8e-6 / (now - began):.1f}")


def send(address):
    limit = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            stream = socket.create_connection((address, PORT))
            break
        except ConnectionRefusedError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.05)
    chunk = bytes(CHUNK)
    try:
        while True:
            stream.sendall(chunk)
    except (BrokenPipeError, ConnectionResetError):
        pass


if __name__ == "__main__":
    if sys.argv[1] == "receive":
        receive(float(sys.argv[2]))
    else:
        send(sys.argv[2])
