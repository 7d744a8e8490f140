"""Starts every door of the sandbox in one process and one event loop, announces them, and stops on a signal."""

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from email.utils import format_datetime

import uvicorn
from starlette.types import ASGIApp

from chartlift_sandbox.clock import Clock
from chartlift_sandbox.control import create_control
from chartlift_sandbox.estate import Addresses, Estate
from chartlift_sandbox.tls import server_context, write_certificate

LOOPBACK = "127.0.0.1"
_GRACE_S = 2
_HEADER_BYTES = 65_536
_BACKLOG = 512


@dataclass(frozen=True, slots=True)
class Ports:
    """Wanted ports; 0 takes a free one."""

    clinic: int = 0
    org: int = 0
    org_tls: int = 0
    control: int = 0


class _Door(uvicorn.Server):
    """A server that leaves signals to the process and tells when it listens."""

    def __init__(self, config: uvicorn.Config, clock: Clock) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._clock = clock

    async def on_tick(self, counter: int) -> bool:
        """Once in a while: the Date header, which tells the virtual time, and whether it is time to stop."""
        stop = await super().on_tick(counter)
        date = format_datetime(self._clock.now(), usegmt=True).encode()
        self.server_state.default_headers = [(b"date", date), *self.config.encoded_headers]
        return stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts listening, then says so."""
        await super().startup(sockets=sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Does nothing: one handler stops all servers."""
        yield


@dataclass
class Running:
    """Servers of one sandbox and the sockets they listen on."""

    clock: Clock
    servers: list[_Door] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)

    def add(self, app: ASGIApp, port: int, context: ssl.SSLContext | None = None) -> str:
        """Binds a door and answers its origin."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(_BACKLOG)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", proxy_headers=False, server_header=False, date_header=False,
            h11_max_incomplete_event_size=_HEADER_BYTES, timeout_graceful_shutdown=_GRACE_S, timeout_keep_alive=60,
        )  # fmt: skip
        if context is not None:
            config.ssl_context_factory = lambda _config, _default: context
            config.ssl_certfile = "given by the context"
        self.servers.append(_Door(config, self.clock))
        self.sockets.append(listener)
        scheme = "http" if context is None else "https"
        return f"{scheme}://{'localhost' if context else LOOPBACK}:{listener.getsockname()[1]}"


async def serve(estate: Estate, ports: Ports, announce: Callable[[Estate], None], stop: asyncio.Event) -> None:
    """Serves until `stop` is set; `announce` is called once everything answers."""
    certificate = write_certificate(estate.home)
    running, org = Running(estate.clock), estate.org_app()
    estate.addresses = Addresses(
        org=running.add(org, ports.org),
        org_tls=running.add(org, ports.org_tls, server_context(certificate, estate.faults)),
        clinic=running.add(estate.clinic_app(), ports.clinic),
        control=running.add(create_control(estate), ports.control),
        ca_file=str(certificate.ca_file),
    )
    estate.org.base_url = estate.addresses.org
    estate.doors.sessions.origins = estate.addresses.origins()
    tasks = [
        asyncio.create_task(server.serve(sockets=[listener]))
        for server, listener in zip(running.servers, running.sockets, strict=True)
    ]
    await asyncio.gather(*(server.ready.wait() for server in running.servers))
    announce(estate)
    await stop.wait()
    for server in running.servers:
        server.should_exit = True
    await asyncio.gather(*tasks)
    estate.close()


async def serve_until_signal(estate: Estate, ports: Ports, announce: Callable[[Estate], None]) -> None:
    """Serves until SIGTERM or SIGINT."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(estate, ports, announce, stop)
