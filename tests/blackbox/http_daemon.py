"""The daemon with http_listen, and what it shows there."""
import os

from daemon import Daemon, loopback_address
from http_client import get, samples
from processes import SLOWNESS, wait_until


class Shown(Daemon):
    """Serves http on `where`."""

    def __init__(self, rows=(), **settings):
        self.where = f"inet:{loopback_address()}"
        super().__init__(rows, **{"evidence_uid": os.geteuid(), "http_listen": self.where, **settings})

    def get(self, path, **options):
        return get(self.where, path, **options)

    def metrics(self):
        answer = self.get("/metrics")
        return samples(answer.text) if answer.status == 200 else {}

    def wait_for_metrics(self, expected, within=20):
        """Until each of {(name, label=value...): number} stands there."""
        wanted = {(name, frozenset(labels)): value for (name, *labels), value in expected.items()}
        said = {}

        def there():
            said.clear()
            said.update(self.metrics())
            return wanted.items() <= said.items()
        wait_until(there, lambda: f"metrics have { {key: (said.get(key), value) for key, value in wanted.items()} }"
                                  f"\n{self.log()}", within * SLOWNESS)

    def wait_for(self, path, code):
        return wait_until(lambda: answer if (answer := self.get(path)).status == code else None,
                          lambda: f"{path} answers {code}: {self.get(path).raw}\n{self.log()}", 20 * SLOWNESS)
