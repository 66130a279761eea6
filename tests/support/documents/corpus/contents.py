"""Texts and tables that documents of the corpus are made of, which are their truth too."""

PARAGRAPHS = (
    "The harbour of the old town was built when ships still came with salt from the south. Its "
    "walls are made of a grey stone that was cut in the hills behind the river, and carried down "
    "on rafts in spring, when the water was high enough.",
    "Merchants kept their books in two hands: one wrote what came in, and another what went out. "
    "In the evening both were read aloud, and where they differed the chest was counted again. "
    "Nobody left the house before the sums agreed.",
    "After the great fire the council asked for wider streets. Of forty houses only eleven were "
    "built again at their former place. The others moved to the meadows in front of the gate, "
    "where the ground was soft and the cellars filled with water every autumn.",
    "A clock was bought from a master in the capital for ninety guilders. It struck the hours but "
    "not the quarters, and it was said that the fishermen trusted the tide more. The receipt is "
    "kept in the archive with the seal of the master.",
    "Travellers praised the bread of the town and complained about its beds. One of them drew the "
    "market from the window of his room; the drawing shows nine stalls, two wells and a dog that "
    "sleeps below the scales.",
    "When the railway came the harbour lost its trade within ten years. The warehouses became "
    "workshops, the workshops became flats, and the cranes were sold for the price of their iron. "
    "Only the smallest one was left, because nobody knew whom it belonged to.",
)
GERMAN = (
    "Fünf große Flöße überquerten den Fluß bei außergewöhnlich heftigem Föhn. Für die Überfahrt "
    "zahlte jeder Händler zwölf Gulden, für Öl und Käse das Doppelte. Die Affäre um den "
    "veröffentlichten Brief beschäftigte das Städtchen noch lange."
)
LIGATURES = (
    "The first official found five different files on the shelf; none of them was sufficient for "
    "the office, and the staff had to refine the figures afterwards."
)
CHINESE = "第一章 港口的历史 这座老城的港口建于船只仍从南方运来食盐的时代"
JAPANESE = "契約書 本契約は東京都において締結された 金額は百万円とする"
ARABIC = "بنيت المدينة القديمة على ضفة النهر"

INVOICE = [
    ["Article", "Quantity", "Unit price", "Total"],
    ["Oak board 40 mm", "12", "18.50", "222.00"],
    ["Wood screws, box of 200", "3", "9.90", "29.70"],
    ["Linseed oil 5 l", "2", "31.25", "62.50"],
    ["Brush, flat", "6", "4.80", "28.80"],
    ["Delivery to the yard", "1", "45.00", "45.00"],
    ["Sum", "", "", "388.00"],
]
INVOICE_HEAD = "Invoice 2026-0417"
INVOICE_TEXT = (
    "Harbour Timber Ltd, 4 Quay Street, Oldtown",
    "Bill to: Ms Ada Brandt, 17 Meadow Lane, Oldtown",
    "Date of delivery: 14 March 2026. Payable within 30 days without deduction.",
)
STOCK = [
    ["Port", "Ships", "Tons", "Change", "Master"],
    ["Oldtown", "214", "18,340", "-12 %", "Brandt"],
    ["Newhaven", "1,027", "96,118", "+4 %", "Okafor"],
    ["Saltmouth", "88", "5,902", "0 %", "de Vries"],
    ["Grey Ferry", "431", "40,077", "+19 %", "Lindqvist"],
]
POINTS = (
    "Count the chest in the evening",
    "Read both books aloud",
    "Lock the gate after the bell",
    "Write down whoever is missing",
)


def flat(*parts: object) -> str:
    """Return texts and tables as one text, in order."""
    words: list[str] = []
    for part in parts:
        if isinstance(part, str):
            words.append(part)
        elif isinstance(part, list | tuple):
            words.append(flat(*part))
        elif part is not None:
            words.append(str(part))
    return " ".join(words)
