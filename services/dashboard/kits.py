"""Recovery kits on their way to paper."""

from appliance.people import Person
from appliance.store.keys import KeyRing


class Kits:
    """Kits by the person who may see them, in memory until they say that the words are written down."""

    def __init__(self) -> None:
        self._kits: dict[int, dict[str, list[str]]] = {}

    def make(self, owner: Person, ring: KeyRing, stores: list[str]) -> None:
        """New kits of 24 words, one a store; they replace those before."""
        self._kits[owner.id] = {store: ring.make_kit(store) for store in stores}

    def of(self, owner: Person) -> dict[str, list[str]]:
        return self._kits.get(owner.id, {})

    def forget(self, owner: Person) -> None:
        self._kits.pop(owner.id, None)
