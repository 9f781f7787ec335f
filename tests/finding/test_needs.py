"""What is needed: what is asked for it, what is made of the answers, and what is wrong with them."""

import json

import pytest

from appliance.config import options_from
from appliance.errors import UserError
from appliance.finding import Needs, answered, asks
from appliance.finding.needs import KEY, LOGIN, PIN
from appliance.finding.offers import from_dict, to_dict
from appliance.links.mqtt import Options as Broker
from appliance.meters.dsmr import Options as Port
from tests.p1_sealing import KEY as HEX

LOCKED = Needs(KEY, "An encrypted P1 meter", "here", "Type it.", "serial", {"path": "/dev/ttyUSB0"}, "dsmr")
BROKER = Needs(LOGIN, "The broker h", "here", "Say who you are.", "mqtt", {"host": "h", "topic": "#"})
PINS = Needs(PIN, "Pulses", "here", "Which pin?", "gpio", {"chip": "/dev/gpiochip0"}, "pulses")


def _problems(needs: Needs, **said: str) -> str:
    with pytest.raises(UserError) as told:
        answered(needs, said)
    return "\n".join(told.value.problems)


def test_secrets_are_asked_for_as_such_and_stand_apart() -> None:
    assert [(each.name, each.type, each.default, each.is_rare) for each in asks(LOCKED)] == [
        ("key", "secret", "", False),
        ("authentication_key", "secret", "", True),
    ]
    answer = answered(LOCKED, {"key": f" {HEX[:8]} {HEX[8:]}\n"})
    assert (answer.meter_options, answer.meter_secrets) == ({}, {"key": HEX})
    assert options_from(Port, answer.meter_secrets, "here").key == HEX
    login = answered(BROKER, {"username": " ann ", "password": " with spaces ", "tls": "on"})
    assert login.link_options == {"host": "h", "topic": "#", "username": "ann", "tls": True}
    assert login.link_secrets == {"password": " with spaces "}
    assert options_from(Broker, {**login.link_options, **login.link_secrets}, "here").password == " with spaces "
    assert HEX not in repr(answer)
    assert "with spaces" not in repr(login)


def test_what_is_wrong_is_said_and_no_secret_with_it() -> None:
    assert _problems(LOCKED) == "Key: 32 hexadecimal digits: say this, it is needed"
    assert _problems(LOCKED, key="31415926") == (
        "key: this is none; write the 32 hexadecimal digits that the grid operator sent you"
    )
    problems = _problems(BROKER, password="31415926", ca_file="/ca.pem")
    assert "a password needs a user name" in problems
    assert "set tls = true" in problems
    assert "31415926" not in problems
    problems = _problems(PINS, line="x", role="tea", per_unit="0", edge="up")
    for part in ("line: 'x' is not a whole number", "'tea' is not possible", "per_unit: 0 is out", "'up' is not possi"):
        assert part in problems


def test_what_was_said_before_is_proposed_and_may_be_taken_back() -> None:
    before = Needs(LOGIN, "", "here", "", "mqtt", {"host": "h", "topic": "#", "username": "ann", "tls": True})
    assert before.id == BROKER.id
    assert {each.name: each.default for each in asks(before)} == {
        "username": "ann",
        "password": "",
        "tls": "True",
        "ca_file": "",
    }
    assert answered(before, {"username": ""}).link_options == {"host": "h", "topic": "#"}


@pytest.mark.parametrize("needs", [LOCKED, BROKER, PINS])
def test_it_comes_from_the_finder_s_process_as_it_was_made(needs: Needs) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(needs)))) == needs
