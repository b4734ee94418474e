"""How Redis is reached by what a call waits for: tried once, and not waited for."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

# What says that it was not reached. RuntimeError is uvloop's word for writing to a connection that Redis has reset
# (0.22; asyncio's own loop raises an OSError), and redis-py 7 passes it on.
LOST = (RedisError, OSError, TimeoutError, RuntimeError)


def tried_once(address: str, patience: float) -> Redis:
    """A client that waits no longer than `patience` seconds: a clinician waits behind it."""
    retry = Retry(NoBackoff(), 0)
    return Redis.from_url(address, socket_timeout=patience, socket_connect_timeout=patience, retry=retry)
