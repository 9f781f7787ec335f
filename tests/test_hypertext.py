"""HTML as the text that a person reads."""

import pytest

from appliance import hypertext


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree"),
        (
            "<table><tr><td>To pay</td><td>&pound;&nbsp;61.20</td></tr><tr><td>Due</td></tr></table>",
            "To pay £ 61.20\n\nDue",
        ),
        ("<style>p{color:red}</style>A<script>alert('<p>no</p>')</script>B", "AB"),
        ("<html><head><title>T</title></head><body>shown</body></html>", "shown"),
        ("a<!-- hidden > <p>too</p> -->b", "ab"),
        ("<script>never closed", ""),
        ("1 &lt; 2 &amp;&amp; 3 < 4 &#9731; &#xD800; &unknown; R&D", "1 < 2 && 3 < 4 ☃ � &unknown; R&D"),
        ("<a href=https://example.org>a\n link</a>\n <b>bold</b>", "a link bold"),
        ("no markup", "no markup"),
    ],
)
def test_what_a_page_says(html: str, text: str) -> None:
    assert hypertext.text(html) == text
