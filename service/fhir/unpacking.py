"""Unpacking an answer that a server packed although asked for plain, never beyond a limit.

httpx unpacks without one: 300 bytes of brotli become a single chunk of 200 MB. zlib can be told where to stop, so gzip
and deflate are read and every other encoding is refused.
"""

import asyncio
import zlib
from collections.abc import AsyncIterable, AsyncIterator

from service.errors import NotFhirError, UnreachableError

PLAIN = frozenset({"", "identity"})
_GZIP = frozenset({"gzip", "x-gzip"})  # RFC 9110, 8.4.1.3
_STEP = 256 * 1024  # bytes at most in memory beside what was read; between steps other requests have their turn


async def unpacked(packed: AsyncIterable[bytes], encoding: str) -> AsyncIterator[bytes]:
    """The plain bytes, in parts of at most 256 KiB. Whoever reads them stops when there are too many.

    Raises NotFhirError (another encoding, not what the encoding says), UnreachableError (ended before its end).
    """
    if encoding not in _GZIP | {"deflate"}:
        raise NotFhirError("answered packed, although asked for plain")
    unpacking: zlib._Decompress | None = None
    async for chunk in packed:
        left = chunk
        while left:
            if unpacking is None or unpacking.eof:  # gzip may have several members (RFC 1952, 2.2)
                unpacking = _unpacking(left, encoding)
            try:
                part = unpacking.decompress(left, _STEP)
            except zlib.error as error:
                raise NotFhirError("answered packed in a way that cannot be read") from error
            left = unpacking.unconsumed_tail or unpacking.unused_data
            if part:
                yield part
                await asyncio.sleep(0)
    if unpacking and not unpacking.eof and (part := unpacking.decompress(b"", _STEP)):
        yield part  # what the last step had no room for
    if unpacking is None or not unpacking.eof:
        raise UnreachableError("the packed answer ended before its end")


def _unpacking(start: bytes, encoding: str) -> "zlib._Decompress":
    if encoding in _GZIP:
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    has_header = start[0] & 0x0F == zlib.DEFLATED  # some servers send deflate bare, against RFC 9110, 8.4.1.2
    return zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)
