# SPDX-License-Identifier: Apache-2.0
"""What stands between a forwarder and a collector and is not to be trusted: each connection is one request, with a fate.

Half of what it does wrong looks like success: answers of the collector to others, or to an earlier request, in the
place of the right one; requests that are taken and never handed on.
"""
import asyncio
import collections
import random
import threading

FATES = ("refuse", "half", "forget", "empty", "earlier", "others", "slow", "hang", "junk", "unavailable", "short")
OTLP = "/v1/logs"
NOT_OTLP = {"empty", "earlier", "others"}  # there an answer of the 200s is the acknowledgement, whatever is in it
BODY_MAX = 64 << 20


class Liar:
    """share: of the connections, how many do not end well."""

    def __init__(self, port, share, seed):
        self.upstream, self.share, self.random = port, share, random.Random(seed)
        self.fates, self.earlier = collections.Counter(), collections.defaultdict(dict)
        self.port, ready = None, threading.Event()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.serve, args=(ready,), daemon=True).start()
        ready.wait()

    def connections(self):
        return sum(self.fates.values())

    def serve(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.handle, "127.0.0.1", 0, limit=BODY_MAX))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    def close(self):
        """Once nobody speaks any more: whoever still hangs is let go."""
        asyncio.run_coroutine_threadsafe(self.let_go(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)

    async def let_go(self):
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def fate(self, path):
        if self.random.random() >= self.share:
            return "good"
        fate = self.random.choice(FATES)
        return "refuse" if path == OTLP and fate in NOT_OTLP else fate

    async def handle(self, reader, writer):
        try:
            await self.answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass
        finally:
            writer.close()

    async def answer(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ", 2)[1].decode()
        fate = self.fate(path)
        self.fates[fate] += 1
        if fate in ("refuse", "half"):
            if fate == "half":
                await reader.readexactly(length(head) // 2)
            writer.transport.abort()
            return
        request = head + await reader.readexactly(length(head))
        if fate == "hang":
            await asyncio.sleep(3)
            return
        made = self.made_up(fate, path)
        answer = made if made is not None else await self.ask(request, path)
        if fate == "forget":
            writer.transport.abort()
        elif fate == "slow":
            for at in range(0, len(answer), 7):
                writer.write(answer[at:at + 7])
                await writer.drain()
                await asyncio.sleep(0.002)
        else:
            writer.write(answer[:-5] if fate == "short" else answer)
            await writer.drain()

    def made_up(self, fate, path):
        kind = path.split("?")[0]
        if fate == "empty":
            return b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"
        if fate == "junk":
            return self.random.randbytes(200)
        if fate == "unavailable":
            return b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
        if fate in ("earlier", "others") and self.earlier[kind]:
            return self.random.choice(list(self.earlier[kind].values()))
        return None

    async def ask(self, request, path):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream, limit=BODY_MAX)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        answer = head + await reader.readexactly(length(head))
        writer.close()
        self.earlier[path.split("?")[0]][self.random.randrange(64)] = answer
        return answer


def length(head):
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
