"""What data about a person's life could be at home: from whom, what is here already, and the shortest way to the rest.

Three things meet here: what the store has of each source, whom the person pays (and so who holds data about them), and
the ways that are known: a connector, an export page of the supplier's own, a file that it sends, or a written request.
"""

from appliance.discovering.directory import Company, companies, find
from appliance.discovering.letters import letter
from appliance.discovering.met import Here, Met, fetched, here, met
from appliance.discovering.routes import Route, route_for, routes

__all__ = [
    "Company",
    "Here",
    "Met",
    "Route",
    "companies",
    "fetched",
    "find",
    "here",
    "letter",
    "met",
    "route_for",
    "routes",
]
