"""Discover: what is here, whom a person deals with, and the way to the rest."""

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import discovering
from appliance.discovering import directory
from appliance.ingest import importing
from services.dashboard.box import box
from tests.statements import Row, ofx

DAY = date(2026, 3, 1)


@pytest.fixture(scope="module", autouse=True)
def _paid(app: Flask) -> None:
    rows = [
        Row(DAY, "-80.00", "OCTOPUS ENERGY LTD 1234"),
        Row(DAY, "-80.00", "Octopus Energy"),
        Row(DAY, "-9.00", "AMZN Mktp UK*1A2B3"),
        Row(DAY, "-3.00", "Corner Shop"),
    ]
    importing.import_bytes(box(app).stores.named("ada"), ofx(rows), "s.ofx", source="my bank")


def test_suppliers_are_told_by_payments_with_the_way_to_their_data(ada: FlaskClient) -> None:
    page = ada.get("/discover").text
    assert "my bank" in page
    assert "Octopus Energy" in page
    assert "2 payments" in page
    assert "privacy-central" in page, "Amazon's own export page"
    assert "Corner Shop" not in page
    assert "Google" in page, "ways that nobody was paid for are there too"


def test_an_empty_store_shows_the_ways_alone(ada: FlaskClient) -> None:
    page = ada.get("/discover?store=home").text
    assert "Here already" not in page
    assert "Ways that are known" in page


@pytest.mark.skipif(not directory.FILE.exists(), reason="the package was built without the directory of companies")
def test_any_company_of_the_directory_is_found_and_its_letter_is_written(ada: FlaskClient) -> None:
    found = discovering.find("23andme")
    assert [each.slug for each in found] == ["23andme"]
    assert "23andMe" in ada.get("/discover?q=23andme").text
    page = ada.get("/discover/23andme").text
    assert "privacy@23andme.com" in page
    assert "Article 15 GDPR" in page
    assert "Ada" in page
    assert "{" not in page.partition("<textarea")[2].partition("</textarea>")[0], (
        "every mark of the template is filled in"
    )
    assert ada.get("/discover/nobody").status_code == 404


def test_a_box_without_the_directory_says_so(ada: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovering, "companies", dict)
    assert "without the directory" in ada.get("/discover").text


@pytest.mark.parametrize(
    ("payee", "name"),
    [
        ("OCTOPUS ENERGY", "Octopus Energy"),
        ("PAYMENT TO TESCO STORES 3297", "Tesco"),
        ("Elm", None),
        ("ING BANK NV", "Your bank"),
    ],
)
def test_a_payee_is_told_by_whole_words(payee: str, name: str | None) -> None:
    route = discovering.route_for(payee)
    assert (route.name if route else None) == name
