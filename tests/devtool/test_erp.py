"""The service that stands for an ERP in the demo, in tests and in the chaos lab."""

import socket
import struct
import threading

import pytest

from devtool.erp import Service

HANG_UP = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds, so that the other side sees a reset


class Patient(Service):
	daemon_threads = False  # closing waits for all that is under way


@pytest.fixture
def service():
	running = Patient(("127.0.0.1", 0), "secret")
	thread = threading.Thread(target=running.serve_forever)
	thread.start()
	yield running
	running.shutdown()
	thread.join()
	running.server_close()


@pytest.mark.parametrize("raw", [b"", b"POST /orders HTTP/1.1\r\nContent-Length: 5\r\n\r\n{"])
def test_a_client_that_hangs_up_leaves_no_stack_trace(service, capfd, raw):
	with socket.create_connection(service.server_address) as line:
		line.sendall(raw)
		line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HANG_UP)
	with socket.create_connection(service.server_address) as line:
		line.sendall(b"GET /orders HTTP/1.1\r\nConnection: close\r\n\r\n")
		assert b"401" in line.recv(4096)
	service.server_close()
	assert "Traceback" not in capfd.readouterr().err
