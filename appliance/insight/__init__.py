"""What a supply's readings tell: baseload, peaks, unusual days, the year before, sun, appliances, cold and carbon."""

from appliance.insight.found import (
    Appliance,
    Baseload,
    Carbon,
    DegreeDays,
    Insight,
    Lack,
    Peak,
    Solar,
    Unusual,
    Year,
)
from appliance.insight.look import insight

__all__ = [
    "Appliance",
    "Baseload",
    "Carbon",
    "DegreeDays",
    "Insight",
    "Lack",
    "Peak",
    "Solar",
    "Unusual",
    "Year",
    "insight",
]
