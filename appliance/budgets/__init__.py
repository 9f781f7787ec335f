"""What a month will cost, against what a person wants to pay, and what at home somebody should look at."""

from appliance.budgets import alerts
from appliance.budgets.forecast import METHOD, Forecast, Projection
from appliance.budgets.found import Finding, Watched, watched
from appliance.budgets.month import Budget, Month, month

__all__ = ["METHOD", "Budget", "Finding", "Forecast", "Month", "Projection", "Watched", "alerts", "month", "watched"]
