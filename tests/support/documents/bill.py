"""A bill as a PDF of two pages, with what a model reads in it."""

from tests.support.documents.small_pdf import small_pdf

BILL = small_pdf("Supplier: Mill Lane\nTotal: 144.00", "Currency: GBP")
BILL_SCHEMA = {
    "type": "object",
    "properties": {
        "supplier": {"type": "string"},
        "total": {"type": "number"},
        "currency": {"enum": ["EUR", "GBP"]},
    },
    "required": ["supplier", "total", "currency"],
}
BILL_READ = {"supplier": "Mill Lane", "total": 144, "currency": "GBP"}
