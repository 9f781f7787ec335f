"""Health: what was measured of a body, one value a record."""

from appliance.kinds import Column, Field, FieldType, Kind

KINDS = (
    Kind(
        name="health.measurement",
        title="Health measurement",
        dpv="pd:Health",
        schema_org="Observation",
        columns={
            "at": Column("Measured", "observationDate"),
            "party": Column("Measured by"),
            "amount": Column("Value", "value"),
            "unit": Column("Unit", "unitText"),
            "memo": Column("Notes", "description"),
        },
        needs=("at", "amount"),
        fields={
            "measure": Field(
                "What was measured",
                required=True,
                schema_org="measuredProperty",
                help="Such as weight, steps or heart rate.",
            ),
            "until": Field("Until", FieldType.WHEN, help="Where it was measured over a time."),
            "device": Field("Measured with", schema_org="measurementTechnique"),
            "method": Field("How", schema_org="measurementMethod"),
            "value": Field("Value as it was said", help="In words, or with more decimals.", asked=False),
            "activity": Field("Activity", asked=False),
            "creationdate": Field("Written down", FieldType.WHEN, asked=False),
        },
    ),
)
