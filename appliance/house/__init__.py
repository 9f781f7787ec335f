"""A simulated house: what a family of four uses, makes and burns, and what its meter would say of it."""

from appliance.house.model import House
from appliance.house.p1 import telegram
from appliance.house.registers import Registers, advance, history

__all__ = ["House", "Registers", "advance", "history", "telegram"]
