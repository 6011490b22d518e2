#!/usr/bin/python3
"""Real servers with a character, for what nginx cannot play: one that echoes datagrams, one that
takes them and is silent, one that keeps every octet it got, one that sends it back to ten thousand
clients at once, one that always says the same, one that speaks first, one that takes mail, one
that accepts and never says a word.
"""

import asyncio
import resource
import select
import signal
import socket
import sys

MIRRORED_MAX = 16384


def echo_datagrams(port, name, address=""):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    wire = socket.socket(family, socket.SOCK_DGRAM)
    wire.bind((address, int(port)))
    while True:
        datagram, client = wire.recvfrom(65535)
        wire.sendto(f"{name} {client[0]}:{client[1]} ".encode() + datagram, client)


def sink_datagrams(port, address):
    """Takes them and never reads any."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    wire = socket.socket(family, socket.SOCK_DGRAM)
    wire.bind((address, int(port)))
    signal.pause()


def record(port, path, address="0.0.0.0"):
    """Appends to `path` what the connections bring; answers each request head with 204."""
    async def serve(reader, writer):
        with open(path, "ab", buffering=0) as file:
            while octets := await reader.read(65536):
                file.write(octets)
                if octets.endswith(b"\r\n\r\n"):
                    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    _serve(serve, port, address)


def answer(port, text):
    """Says the same to every request."""
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(text)}\r\nX-Real: {text}\r\n"
                     f"Connection: close\r\n\r\n{text}".encode())
        writer.close()

    _serve(serve, port)


def mirror(port, address="0.0.0.0"):
    """Sends back what comes, to as many as come."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (MIRRORED_MAX, MIRRORED_MAX))
    is_dual = address == "::"
    listener = socket.create_server((address, int(port)), backlog=4096, dualstack_ipv6=is_dual,
                                    family=socket.AF_INET6 if is_dual else socket.AF_INET)
    listener.setblocking(False)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    wires = {}
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                wire = listener.accept()[0]
                wires[wire.fileno()] = wire
                poll.register(wire, select.EPOLLIN)
                continue
            try:
                octets = wires[number].recv(4096)
                wires[number].sendall(octets)
            except ConnectionError:
                octets = b""
            if not octets:
                wires.pop(number).close()


def greet(port):
    """Speaks first, to whom a PROXY header of version 1 names."""
    async def serve(reader, writer):
        _, _, client, _, client_port, _ = (await reader.readuntil(b"\r\n")).decode().split()
        writer.write(f"welcome {client} {client_port}\n".encode())
        await reader.read()
        writer.close()

    _serve(serve, port)


def take_mail(port, file):
    """A mail server's half of RFC 5321 that a sender needs; all that it hears is in the file."""
    async def serve(reader, writer):
        writer.write(b"220 web3 ready\r\n")
        is_text = False
        while line := await reader.readline():
            with open(file, "ab") as kept:
                kept.write(line)
            word = line.strip().upper()
            if is_text and word != b".":
                continue
            answers = {b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
            writer.write(answers.get(word, b"250 fine\r\n"))
            is_text = word == b"DATA"
            if word == b"QUIT":
                break
        await writer.drain()
        writer.close()

    _serve(serve, port)


def be_silent(port):
    async def serve(reader, _):
        await reader.read()

    _serve(serve, port)


def be_patient(port):
    """Keeps its side open when the client has closed its own."""
    kept = []

    async def serve(*connection):
        kept.append(connection)

    _serve(serve, port)


def _serve(serve, port, address="0.0.0.0"):
    async def main():
        server = await asyncio.start_server(serve, address, int(port), backlog=4096)
        await server.serve_forever()

    asyncio.run(main())


if __name__ == "__main__":
    KINDS = {"answer": answer, "echo": echo_datagrams, "greet": greet, "patient": be_patient,
             "mail": take_mail, "mirror": mirror, "record": record, "silent": be_silent,
             "sink": sink_datagrams}
    KINDS[sys.argv[1]](*sys.argv[2:])
