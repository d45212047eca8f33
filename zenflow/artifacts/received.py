"""What came, held against what was announced: too much is noticed at once, too little at the end. Pure counting."""

from __future__ import annotations

from zenflow.artifacts.base import ArtifactError, ExpectedFile

MOST_BYTES = 8 << 30  # of a body whose length nobody announced
MOST_PICTURE_BYTES = 1 << 30
_AGAIN = "It is fetched again; `zenflow resume` does so later, without paying for it again."


class Receiving:
    """Counts a body."""

    def __init__(self, expected: ExpectedFile) -> None:
        self.expected = expected
        self.bytes = 0

    def take(self, count: int) -> None:
        """Raises ArtifactError as soon as more came than was announced."""
        self.bytes += count
        announced = self.expected.total_bytes
        if announced is not None and self.bytes > announced:
            raise ArtifactError(
                "ZF864", f"More came than the {announced} bytes that were announced", _AGAIN, retry=True
            )
        most = MOST_PICTURE_BYTES if (self.expected.media_type or "").startswith("image/") else MOST_BYTES
        if self.bytes > most:
            raise ArtifactError("ZF867", f"More than {most >> 30} GiB came", "Fetch it with the service's own page.")

    def end(self) -> None:
        """Raises ArtifactError where something is missing."""
        announced = self.expected.total_bytes
        if announced is not None and self.bytes < announced:
            raise ArtifactError("ZF864", f"Only {self.bytes} of {announced} bytes came", _AGAIN, retry=True)
        if self.bytes == 0:
            raise ArtifactError("ZF864", "Nothing came", _AGAIN, retry=True)

    def compare(self, sha256: str) -> None:
        """Raises ArtifactError where the digest is another than the announced one."""
        announced = self.expected.sha256
        if announced is not None and announced.lower() != sha256:
            raise ArtifactError("ZF866", "The bytes that came are not those that were announced", _AGAIN, retry=True)
