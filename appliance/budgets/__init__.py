"""What a month will cost, against what a person wants to pay, and what at home somebody should look at."""

from appliance.budgets import alerts
from appliance.budgets.forecast import METHOD, Forecast, Projection
from appliance.budgets.found import Budget, Finding, Watched, watched

__all__ = ["METHOD", "Budget", "Finding", "Forecast", "Projection", "Watched", "alerts", "watched"]
