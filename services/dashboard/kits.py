"""Recovery kits on their way to paper."""

from dataclasses import dataclass

from markupsafe import Markup

from appliance.people import Person
from appliance.store.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Kit:
    """A store's kit as it is printed."""

    store: str
    words: list[str]

    @property
    def picture(self) -> Markup:
        """The words as a QR code, for a device that can read one: an SVG to stand in the page."""
        import segno  # a kit is shown once: its megabyte is not kept in memory by every dashboard

        code = segno.make_qr(" ".join(self.words), error="m")
        return Markup(code.svg_inline(scale=3, border=4, light="#fff", svgclass="qr", lineclass=None, omitsize=True))  # noqa: S704


class Kits:
    """Kits by the person who may see them, in memory until they say that the words are written down."""

    def __init__(self) -> None:
        self._kits: dict[int, list[Kit]] = {}

    def make(self, owner: Person, ring: KeyRing, stores: list[str]) -> None:
        """New kits of 24 words, one a store; they replace those before."""
        self._kits[owner.id] = [Kit(store, ring.make_kit(store)) for store in stores]

    def keep(self, owner: Person, store: str, words: list[str]) -> None:
        """The kit that was made just now, beside those that this person has still to write down."""
        others = [kit for kit in self.of(owner) if kit.store != store]
        self._kits[owner.id] = [*others, Kit(store, words)]

    def of(self, owner: Person) -> list[Kit]:
        return self._kits.get(owner.id, [])

    def forget(self, owner: Person) -> None:
        self._kits.pop(owner.id, None)
