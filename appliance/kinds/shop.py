"""Shops: what was ordered, and each thing that was bought."""

from appliance.kinds import AmountIs, Column, Field, FieldType, Kind

ORDER = Kind(
    name="shop.order",
    title="Order",
    dpv="pd:Purchase",
    schema_org="Order",
    amount_is=AmountIs.ASKED,
    columns={
        "title": Column("What", "name"),
        "at": Column("Ordered on", "orderDate"),
        "party": Column("Shop", "seller"),
        "amount": Column("Total"),
        "unit": Column("Currency"),
        "memo": Column("Notes", "description"),
    },
    needs=("at", "party"),
    fields={
        "number": Field("Order number", schema_org="orderNumber"),
        "status": Field("Status", schema_org="orderStatus"),
        "items": Field("Things ordered", FieldType.LINES, schema_org="orderedItem", help="One a line."),
        "discount": Field("Discount", FieldType.DECIMAL, schema_org="discount"),
        "delivery_cost": Field("Delivery", FieldType.DECIMAL),
        "paid_with": Field("Paid with", schema_org="paymentMethod"),
        "address": Field("Delivered to", FieldType.LINES, dpv="pd:PhysicalAddress"),
        "delivered": Field("Delivered on", FieldType.WHEN),
        "web": Field("Page", FieldType.WEB, schema_org="url"),
    },
)

PURCHASE = Kind(
    name="shop.purchase",
    title="Purchase",
    dpv="pd:PurchasesAndSpendingHabit",
    schema_org="OrderItem",
    amount_is=AmountIs.ASKED,
    columns={
        "at": Column("Bought on"),
        "party": Column("Shop"),
        "amount": Column("Price"),
        "unit": Column("Currency"),
        "memo": Column("Notes", "description"),
    },
    fields={
        "item": Field("What was bought", required=True, schema_org="orderedItem"),
        "quantity": Field("How many", FieldType.DECIMAL, schema_org="orderQuantity"),
        "brand": Field("Make"),
        "category": Field("Category"),
        "barcode": Field("Barcode", help="The digits below the bars."),
        "order": Field("Order number"),
        "guaranteed": Field("Guaranteed until", FieldType.DAY),
    },
)

KINDS = (ORDER, PURCHASE)
