"""Fifty things that somebody may write into a catalogue, a query or a name to have a script run in a visitor's page."""

import json
from pathlib import Path

from PIL import Image

CATALOG = "hostile"
RAN = "window.ran=1"
PAYLOADS = (
    f"<script>{RAN}</script>",
    f"<ScRiPt>{RAN}</sCrIpT>",
    f"<script\n>{RAN}</script\n>",
    f"<script/x>{RAN}</script>",
    f"<scr<script>ipt>{RAN}</scr</script>ipt>",
    f"</script><script>{RAN}</script>",
    f"--></script><script>{RAN}</script>",
    f"</textarea><script>{RAN}</script>",
    f"</title><script>{RAN}</script>",
    f"</style><script>{RAN}</script>",
    f"</noscript><script>{RAN}</script>",
    f"</template><script>{RAN}</script>",
    f"<img src=x onerror={RAN}>",
    f"<img src=x onerror='{RAN}'>",
    f'<img src=x onerror="{RAN}">',
    f"<img/src=x/onerror={RAN}>",
    f"<img src=x:x onerror\n=\n{RAN}>",
    f"<svg onload={RAN}>",
    f"<svg/onload={RAN}>",
    f"<svg><script>{RAN}</script></svg>",
    f"<svg><animate onbegin={RAN} attributeName=x dur=1s>",
    f"<math><mtext></form><form><mglyph><style></math><img src=x onerror={RAN}>",
    f"<body onload={RAN}>",
    f"<iframe src=javascript:{RAN}>",
    f"<iframe srcdoc='<script>parent.{RAN}</script>'>",
    f"<object data=javascript:{RAN}>",
    f"<embed src=javascript:{RAN}>",
    f"<a href=javascript:{RAN}>a</a>",
    f"<details open ontoggle={RAN}>",
    f"<input autofocus onfocus={RAN}>",
    f"<video><source onerror={RAN}></video>",
    f"<audio src=x onerror={RAN}>",
    f"<marquee onstart={RAN}>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>@import 'https://evil.example/x.css';</style>",
    f"<form action=https://evil.example/><button formaction=javascript:{RAN}>",
    f"' autofocus onfocus={RAN} x='",
    f'" autofocus onfocus={RAN} x="',
    f"' onmouseover={RAN} '",
    f'" onpointerenter="{RAN}',
    f"` onerror={RAN} `",
    f"javascript:{RAN}",
    f" javascript:{RAN}//",
    f"java\tscript:{RAN}",
    f"data:text/html,<script>{RAN}</script>",
    "{{ 7*7*7*1237 }}{% raw %}${7*7*7*1237}",
    f"\\u003cscript\\u003e{RAN}\\u003c/script\\u003e",
    f"<!--<img src='--><img src=x onerror={RAN}//'>",
)
CALCULATED = "424291"
"""What a template would make of the sum in one of them."""

INSPECT = """page => {
    const found = [];
    if (window.ran !== undefined) found.push('a script ran');
    for (const one of page.querySelectorAll('*')) {
        for (const { name, value } of one.attributes) {
            const script = /^(on|srcdoc)/.test(name);
            const address = ['href', 'src', 'action', 'formaction', 'data', 'xlink:href'].includes(name);
            if (script || (address && /^\\s*(java\\s*script|vbscript|data:text)/i.test(value)))
                found.push(`${one.tagName} ${name}=${value}`);
        }
    }
    const foreign = 'iframe, object, embed, base, marquee, svg script, math, style';
    const others = 'meta[http-equiv], img[src^="x"], link[href^="http"]';
    for (const one of page.querySelectorAll(`${foreign}, ${others}`)) found.push(one.outerHTML.slice(0, 200));
    for (const one of page.scripts)
        if (!one.src && one.type !== 'application/json') found.push(one.outerHTML.slice(0, 200));
    return found;
}"""
"""What is in a page that none of ours has."""


def product_id(number: int) -> str:
    """Of the product with that payload, as the catalogue has it."""
    return " ".join(f"{number} {PAYLOADS[number]}".split())


def write_hostile(folder: Path) -> Path:
    """A catalogue file with one payload in all fields of each product, and its photos."""
    folder.mkdir(parents=True)
    path = folder / "hostile.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number, payload in enumerate(PAYLOADS):
            colour = (number * 5, 255 - number * 5, 120)
            photo = f"{number} {payload.replace('/', ' ')}.png"
            Image.new("RGB", (64, 64), colour).save(folder / photo)
            row = {
                "id": product_id(number),
                "parent": f"{number // 2}{PAYLOADS[number // 2 * 2]}",
                "title": f"mug {payload}",
                "description": f"A mug. {payload}",
                "brand": payload,
                "category": f"mugs > {payload}",
                "price": 10 + number,
                "currency": "EUR",
                "availability": "in stock",
                "url": payload,
                "colour": payload,
                "material": payload,
                f"x {payload}": payload,
                "images": [photo],
            }
            file.write(json.dumps(row) + "\n")
    return path
