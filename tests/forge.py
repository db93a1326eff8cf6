"""Files of networks taken apart and put together again, otherwise."""

import contextlib
import copy
import hashlib
import json


class Forgery:
    """The parts of a file: change them, then `content()` is a file of them.

    Sums are those of the changed parts unless they are changed themselves, so that
    readers get as far as possible.
    """

    def __init__(self, content: bytes) -> None:
        length = int.from_bytes(content[:8], "little")
        self.header = json.loads(content[8 : 8 + length])
        self.metadata = self.header.pop("__metadata__")
        self.config = json.loads(self.metadata["config"])
        self.data = bytearray(content[8 + length :])

    def copy(self) -> "Forgery":
        return copy.deepcopy(self)

    @property
    def net(self) -> dict:
        return self.config["net"]

    def tensor(self, name: str) -> slice:
        """Where the bytes of a tensor are in the data."""
        return slice(*self.header[name]["data_offsets"])

    def content(self, **metadata) -> bytes:
        """The file; `metadata` overrules what would follow from the parts."""
        return self.with_header(self.header_text(**metadata))

    def header_text(self, **metadata) -> str:
        config = metadata.get("config", json.dumps(self.config))
        sums = {
            "config": config,
            "config_sha256": hashlib.sha256(encoded(config)).hexdigest(),
            "data_sha256": self.data_sha256(),
        }
        metadata = {**self.metadata, **sums, **metadata}
        return json.dumps(
            {
                "__metadata__": {k: v for k, v in metadata.items() if v is not None},
                **self.header,
            }
        )

    def with_header(self, header: str | bytes, length: int | None = None) -> bytes:
        """The file with this text for a header, and this length told of it."""
        raw = header if isinstance(header, bytes) else encoded(header)
        told = len(raw) if length is None else length
        return told.to_bytes(8, "little") + raw + bytes(self.data)

    def data_sha256(self) -> str:
        total = hashlib.sha256()
        for name in sorted(self.header):
            # An entry that is none: whoever reads will not get as far.
            with contextlib.suppress(TypeError, KeyError, OverflowError):
                total.update(self.data[self.tensor(name)])
        return total.hexdigest()


def encoded(text: object) -> bytes:
    return str(text).encode("utf-8", "surrogatepass")
