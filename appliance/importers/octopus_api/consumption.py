"""What one meter point used, by half-hours or longer."""

import re
from collections.abc import Mapping
from typing import Any

from appliance.gathering import DECIMALS, Column, Gathering, Table, interval_name
from appliance.importers.octopus_api.values import (
    SUPPLIER,
    Stated,
    UnstatedError,
    milliseconds,
    moment,
    number,
    seconds_between,
)
from appliance.records import Source, Span

_OF_POINT = re.compile(r"/(electricity|gas)-meter-points/([0-9]{6,13})/meters/[^/?]{1,40}/consumption/")


class Series:
    """The rows of one meter point. A meter that is swapped goes on with the same series."""

    def __init__(self, stated: Stated, links: str) -> None:
        found = _OF_POINT.search(links)
        supply = stated.supply or (found[1] if found else "")
        self._problem = _problem(supply, stated)
        self._unit = stated.unit if supply == "gas" else "kWh"
        self._role = f"electricity.{stated.direction}" if supply == "electricity" else supply
        self._is_worked_out = (supply, self._unit) == ("gas", "kWh")  # by the service, of m3
        of_unit = "kWh" if self._is_worked_out else ""
        point = stated.point or (found[2] if found else "")
        self._name = " ".join(filter(None, ("octopus", point or supply, of_unit)))
        self._title = " ".join(filter(None, (SUPPLIER, supply, point, of_unit)))
        self._tables: dict[str, Table] = {}

    def read(self, said: Mapping[str, Any], span: Span, out: Gathering) -> None:
        """Adds what a row states. ValueError where it cannot be read, NoValueError where there is no value."""
        if self._problem:
            raise UnstatedError(self._problem)
        begin = moment(said.get("interval_start"))
        seconds = seconds_between(begin, moment(said.get("interval_end")))
        whole, decimals = number(said, "consumption")
        if self._is_worked_out:  # a later page may be finer than this one, and a series is as fine as its first
            whole, decimals = whole * 10 ** (DECIMALS - decimals), DECIMALS
        table = self._table(interval_name(seconds))
        out.add(table, milliseconds(begin), seconds, ((whole, decimals),), span.first, span.first + span.length)

    def _table(self, length: str) -> Table:
        if length not in self._tables:
            source = Source(f"{self._name} {length}", f"{self._title} {length}")
            self._tables[length] = Table(source, [Column(self._role, self._unit)])
        return self._tables[length]


def _problem(supply: str, stated: Stated) -> str:
    """What has to be stated before anything can be read, or ""."""
    if not supply:
        return "the file does not say what it is of: state supply=electricity or supply=gas, and the rest"
    if supply == "gas":
        return "" if stated.unit else "what the gas meter counts is not said: state unit=m3 or unit=kWh"
    if not stated.direction:
        return "whether it was taken or fed in is not said: state direction=import or direction=export"
    return "electricity is not measured in m3: state unit=kWh" if stated.unit == "m3" else ""
