"""Serial ports: each once, under the name that stays; none of the kernel's own, none without hardware behind it."""

from pathlib import Path

from appliance.config import MeterConfig
from appliance.finding.ports import ports, read_already, where


def _plug(folder: Path, name: str, alias: str = "") -> Path:
    device = folder / name
    device.touch()
    if alias:
        (folder / "by-id").mkdir(exist_ok=True)
        (folder / "by-id" / alias).symlink_to(device)
    return device


def test_a_port_is_listed_once_by_the_adapter_s_own_name(tmp_path: Path) -> None:
    named = _plug(tmp_path, "ttyUSB0", "usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0")
    nameless = _plug(tmp_path, "ttyUSB1")
    found = ports([f"{tmp_path}/by-id/*", f"{tmp_path}/by-path/*", f"{tmp_path}/ttyUSB*"], tmp_path / "system")
    assert [(each.device, each.where) for each in found] == [
        (named, "on the USB cable FTDI FT232R USB UART A50285BI"),
        (nameless, "on the serial port ttyUSB1"),
    ]
    assert found[0].path == f"{tmp_path}/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"


def test_what_has_no_hardware_and_where_the_kernel_speaks_is_left_alone(tmp_path: Path) -> None:
    system = tmp_path / "system"
    for name, kind in {"ttyS0": "4", "ttyS1": "0", "ttyS2": "4"}.items():
        _plug(tmp_path, name)
        (system / name).mkdir(parents=True)
        (system / name / "type").write_text(f"{kind}\n")
    (system / "console").mkdir()
    (system / "console" / "active").write_text("tty0 ttyS2\n")
    assert [each.device.name for each in ports([f"{tmp_path}/ttyS*"], system)] == ["ttyS0"]


def test_a_port_is_read_already_under_whatever_name_it_is_configured(tmp_path: Path) -> None:
    first, second = _plug(tmp_path, "ttyUSB0", "usb-A-if00"), _plug(tmp_path, "ttyUSB1")
    configured = [
        MeterConfig("house", "serial", "dsmr", link_options={"path": f"{tmp_path}/by-id/usb-A-if00"}),
        MeterConfig("roof", "serial", "sml", link_options={"path": f"{tmp_path}/ttyUSB[1-9]"}),
        MeterConfig("gone", "serial", "sml", link_options={"path": f"{tmp_path}/ttyACM*"}),
        MeterConfig("far", "tcp", "dsmr", link_options={"host": "h", "port": 1}),
    ]
    assert read_already(configured) == {first: "house", second: "roof"}


def test_an_adapter_that_calls_itself_something_unprintable_is_shown_without() -> None:
    assert where("/dev/serial/by-id/usb-A\x1b[31m_B-if00") == "on the USB cable A[31m B"
    assert len(where("/dev/serial/by-id/usb-" + "W" * 300)) < 100
