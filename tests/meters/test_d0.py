"""The oddities of D0: ids in short and in full, what is believed without a checksum, speeds, and who asks when."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from appliance.errors import UserError
from appliance.meters import Counters, d0
from appliance.records import Frame
from tests.d0_meter import readout

NOW_MS = 1_700_000_000_000


def push() -> d0.Meter:
    return d0.Meter(d0.Options(), ZoneInfo("Europe/Berlin"))


def telegram(*lines: str) -> bytes:
    return "\r\n".join(["/ESY5Q3DA1004 V3.04", "", *lines, "!", ""]).encode()


def values(frames: list[Frame]) -> list[tuple[str, str]]:
    return [(each.role.removeprefix("electricity."), str(each.value)) for frame in frames for each in frame.readings]


def one(*lines: str) -> list[tuple[str, str]]:
    """What a telegram says, sent twice: the first one is believed by the second."""
    meter = push()
    return values(meter.feed(telegram(*lines) * 2, NOW_MS))


def request(**options: object) -> d0.Meter:
    return d0.Meter(d0.Options(mode="request", **options), ZoneInfo("Europe/Berlin"))  # type: ignore[arg-type]


REGISTER = "1-0:1.8.0*255(00026107.7034231*kWh)"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (REGISTER, [("import", "26107.7034231")]),
        ("1.8.0(000123.4*kWh)", [("import", "123.4")]),
        ("1-1:1.8.1(000123.4*kWh)", [("import.t1", "123.4")]),
        ("1.8.2*255(000123400*Wh)", [("import.t2", "123.400")]),
        ("32.7(241*V)", [("voltage.l1", "241")]),
        ("1-0:1.7.255*255(000336.45*W)", [("power", "0.33645"), ("power.export", "0.00000")]),
        ("1-0:21.7.0*255(-000128.41*W)", [("power.l1", "0.00000"), ("power.export.l1", "0.12841")]),
        ("16.7.0(-000000.00*W)", [("power", "0.00000"), ("power.export", "0.00000")]),
        ("6.8(0255.987*GJ)6.26(02458.16*m3)", [("heat", "255.987")]),
        ("6.8(0001.000*MWh)", [("heat", "3.6000")]),
    ],
)
def test_ids_in_short_and_in_full(line: str, expected: list[tuple[str, str]]) -> None:
    assert one(line) == expected


def test_power_out_under_an_id_of_its_own_leaves_power_in_alone() -> None:
    assert one("1.7.0(00.100*kW)", "2.7.0(00.000*kW)") == [("power", "0.100"), ("power.export", "0.000")]


@pytest.mark.parametrize(
    "line",
    [
        "1.8.0*01(000100.0*kWh)",
        "1.8.0&01(000100.0*kWh)",
        "1.8.0*00(000100.0)(000100.0)",
        "0-0:1.8.0(000100.0*kWh)",
        "F.F(00)",
        "1.6.1(27.19*kW)(1702090945)",
        "9.8.0(000100.0*kVAh)",
        "1.8.0()",
        "1.8.3(        )",
    ],
)
def test_earlier_periods_errors_and_what_is_empty_are_no_readings(line: str) -> None:
    meter = push()
    assert values(meter.feed(telegram(line, "2.8.0(000007.0*kWh)") * 2, NOW_MS)) == [("export", "7.0")]
    assert meter.counters == Counters(telegrams=1)


@pytest.mark.parametrize(
    "line", ["1.8.0(000100.0)", "1.8.0(000100.0*V)", "1.8.0(-00100.0*kWh)", "32.7(65535*V)", "1.8.0(1e5*kWh)"]
)
def test_what_a_register_cannot_say_is_refused_and_the_others_stand(line: str) -> None:
    meter = push()
    assert values(meter.feed(telegram(line, "2.8.0(000007.0*kWh)") * 2, NOW_MS)) == [("export", "7.0")]
    assert meter.counters == Counters(telegrams=1, refused=1)


@pytest.mark.parametrize(
    "broken",
    [
        telegram("1-0:1.8.0*255(00026107.7034"),
        telegram(REGISTER, REGISTER),
        telegram(REGISTER, "rubbish"),
        telegram(REGISTER)[:-5] + b"\xff!\r\n",
        telegram(REGISTER, "C.1.0(13\x007123)"),  # a byte whose parity was wrong
        telegram(REGISTER.replace("(0", "(")),  # a digit was lost on the way
        telegram(REGISTER.replace("(0", "(00")),
        telegram(REGISTER, "2.8.0(000007.0*kWh)"),
        telegram("2.8.0(000007.0*kWh)"),
    ],
)
def test_a_push_telegram_that_is_not_whole_or_not_as_the_one_before_is_not_believed(broken: bytes) -> None:
    meter = push()
    sound = telegram(REGISTER)
    assert len(meter.feed(sound * 2, NOW_MS)) == 1
    assert meter.feed(broken, NOW_MS) == []
    assert meter.counters == Counters(telegrams=1, partial=1)
    assert len(meter.feed(sound * 2, NOW_MS)) == 1


def test_power_may_have_as_many_digits_as_it_likes() -> None:
    meter = push()
    assert len(meter.feed(b"".join(telegram(REGISTER, f"1.7.0({10**n}*W)") for n in range(4)), NOW_MS)) == 3


@pytest.mark.parametrize("lost", range(1, len(telegram(REGISTER)) - 1))
def test_a_push_telegram_cut_anywhere_costs_two_at_most(lost: int) -> None:
    meter = push()
    sound = telegram(REGISTER)
    frames = meter.feed(sound * 2 + sound[:lost] + sound * 3, NOW_MS)
    assert len(frames) >= 3
    assert set(values(frames)) == {("import", "26107.7034231")}


def test_what_never_ends_is_dropped_and_counts_once() -> None:
    meter = push()
    assert len(meter.feed(b"/ESY5X\r\n" + b"1.8.1(1*kWh)\r\n" * 5000 + telegram(REGISTER) * 2, NOW_MS)) == 1
    assert meter.counters == Counters(telegrams=1, partial=1)


@pytest.mark.parametrize(
    ("lines", "device"),
    [
        (("C.1.0(13647123)", "0.0.0(4711)"), "13647123"),
        (("0.0(          120858)",), "120858"),
        (("1-0:0.0.0*255(0273)", "0-0:96.1.255*255(1ESY1011003684)"), "1ESY1011003684"),
        (("C.1.0(        )",), "ESY5Q3DA1004 V3.04"),
    ],
)
def test_the_device_is_its_own_number_or_the_header(lines: tuple[str, ...], device: str) -> None:
    (frame,) = push().feed(telegram(*lines, REGISTER) * 2, NOW_MS)
    assert frame.device == device


def test_says_every_problem_of_a_configuration() -> None:
    with pytest.raises(UserError) as raised:
        d0.Options(mode="pull", address="!", interval_s=0)
    assert len(raised.value.problems) == 3


@pytest.mark.parametrize(
    ("identification", "acknowledgement", "baudrate"),
    [
        (b"/LGZ0X\r\n", b"\x06000\r\n", 300),
        (b"/LGZ4ZMF100AC.M26\r\n", b"\x06040\r\n", 4800),
        (b"/Lgz5\\2ZMD\r\n", b"\x06050\r\n", 9600),
        (b"/ELS6X\r\n", b"\x06060\r\n", 19_200),
        (b"/LUGCUH50\r\n", b"", 2400),
        (b"/INGFX\r\n", b"", 19_200),
        (b"/ING@X\r\n", b"", 300),
        (b"/ING9X\r\n", b"", 300),  # reserved
    ],
)
def test_the_answer_comes_at_the_speed_that_was_offered_and_the_next_request_is_at_300(
    identification: bytes, acknowledgement: bytes, baudrate: int
) -> None:
    meter = request()
    assert (meter.baudrate, meter.poll(NOW_MS)) == (300, b"/?!\r\n")
    meter.feed(b"/?!\r\n" + identification, NOW_MS + 500)  # heads return what they send
    assert meter.poll(NOW_MS + 600) == b""
    assert meter.poll(NOW_MS + 750) == acknowledgement
    assert meter.baudrate == baudrate
    (frame,) = meter.feed(acknowledgement + readout(Decimal("1234.5"), Decimal("0.25")), NOW_MS + 2000)
    assert (frame.device, frame.readings[0].value) == ("00000042", Decimal("1234.5"))
    assert meter.baudrate == 300
    assert meter.poll(NOW_MS + 59_999) == b""
    assert meter.poll(NOW_MS + 60_000) == b"/?!\r\n"


@pytest.mark.parametrize("answer", [b"", b"/LGZ4X\r\n"])
def test_silence_is_asked_again_from_the_beginning(answer: bytes) -> None:
    meter = request()
    meter.poll(NOW_MS)
    meter.feed(answer, NOW_MS + 500)
    meter.poll(NOW_MS + 1000)
    assert meter.poll(NOW_MS + 4100) == b""
    assert (meter.counters.partial, meter.baudrate) == (1, 300)
    assert meter.poll(NOW_MS + 9000) == b""
    assert meter.poll(NOW_MS + 9200) == b"/?!\r\n"


@pytest.mark.parametrize("jump_ms", [-86_400_000, 86_400_000])
def test_a_clock_that_jumps_stops_nothing(jump_ms: int) -> None:
    meter = request()
    meter.poll(NOW_MS)
    meter.feed(b"/ING@X\r\n" + readout(Decimal(1), Decimal(1)), NOW_MS + 500)
    asked = [meter.poll(NOW_MS + jump_ms + second * 1000) for second in range(62)]
    assert asked.count(b"/?!\r\n") >= 1


def test_no_changed_byte_passes_the_check_character() -> None:
    sound = readout(Decimal("1234.5"), Decimal("0.25"))
    for at in range(len(sound)):
        for bit in range(7):
            meter = request()
            meter.poll(NOW_MS)
            broken = sound[:at] + bytes([sound[at] ^ (1 << bit)]) + sound[at + 1 :]
            assert meter.feed(b"/ING@X\r\n" + broken, NOW_MS + 500) == [], (at, bit)


def test_what_stands_twice_is_not_guessed() -> None:
    meter = request()
    meter.poll(NOW_MS)
    said = b"1.8.0(1*kWh)\r\n1-1:1.8.0(2*kWh)\r\n2.8.0(3*kWh)\r\n!\r\n\x03"
    bcc = 0
    for byte in said:
        bcc ^= byte
    assert values(meter.feed(b"/ING@X\r\n\x02" + said + bytes([bcc]), NOW_MS)) == [("export", "3")]
    assert meter.counters == Counters(telegrams=1, refused=1)
