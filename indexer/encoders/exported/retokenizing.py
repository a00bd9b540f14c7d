"""From open_clip's tokenizer to one without torch, and the proof that both give the same tokens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken
from tokenizers import Tokenizer as Merges
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from indexer.encoders.exported.record import NotExportable, TokenizerRecord
from indexer.encoders.exported.tokenizing import Tokenizer, cleaned, open_tokenizer, pattern

ODD = (
    "",
    " \t\n ",
    "a",
    "Red MUG, 350ml — it's the shop's; they've we'll I'd don't I'M you'RE",
    "<end_of_text>",
    "a red <end_of_text> mug<start_of_text><END_OF_TEXT> !<end_of_text>",
    "<|endoftext|>",
    "Größe 42½ ²³ Ⅻ ١٢٣ 四十二 ﬁne",
    "İstanbul IĞDIR ıi ſ'ſ ẞ K Å",
    "كوب أحمر شاي",
    "ספל אדום",
    "ถ้วยสีแดง",
    "赤いマグカップ 紅色杯子 빨간 머그잔",
    "Κόκκινη κούπα ΣΑΣ красная кружка",
    "👩‍👩‍👧‍👦 👍🏽 🇩🇪 ☕️ ❤",
    "caf\u00e9 cafe\u0301 n\u0303 \u0344",
    "&amp;lt;b&amp;gt; &#39;s &nbsp; &copy &#xD800; &#0; &notit;",
    "\x00a\x00b \x07 \x1b[31m",
    "\ud83d lone \udc4d",
    "schÃ¶n fÃ¼r dâ€™amour",
    "\u200bzero\u200cwidth\u2060 \ufeffmark \u00adsoft",
    "\u2028line\u2029paragraph\x85next\u3000wide\u00a0hard",
    "“curly” ‘quotes’ ′prime″ … – — ―",
    "snake_case {} [x] (y) #1 @home 50% €9.99 1,234.5e-6 a/b\\c ^_^ :-)",
    "a" * 300,
    "red " * 400,
    "!?" * 200,
    "\U0010ffff\ue000\ufffe",
)
"""Texts that tokenizers have been seen to differ over."""


def retokenized(tokenizer: Any, path: Path, texts: Sequence[str]) -> TokenizerRecord:
    """Write `tokenizer`, one of open_clip's, without torch to `path`.

    Raises NotExportable for another kind of tokenizer, and when one of `texts` or of ODD gives other tokens.
    """
    record = _record(tokenizer)
    _merges(tokenizer, record).save(str(path))
    _demand_same(tokenizer, open_tokenizer(path, record), (*ODD, *texts))
    return record


def _record(tokenizer: Any) -> TokenizerRecord:
    from open_clip.tokenizer import SimpleTokenizer

    if not isinstance(tokenizer, SimpleTokenizer):
        raise NotExportable(f"its tokenizer is a {type(tokenizer).__name__}, not open_clip's own")
    specials = tuple(tokenizer.decoder[token] for token in tokenizer.all_special_ids)
    if tokenizer.reduction_fn is not None or tokenizer.pat.pattern != pattern(specials):
        raise NotExportable("its tokenizer drops words, or splits texts in another way")
    return TokenizerRecord(
        clean=_way(tokenizer),
        specials=specials,
        start=tokenizer.sot_token_id,
        end=tokenizer.eot_token_id,
        context_length=tokenizer.context_length,
    )


def _way(tokenizer: Any) -> Any:
    """Which cleaning it does, which it knows as a function only; ways that agree on this text agree."""
    text = "  Tea_Pot,  &amp;amp; MUG "
    ways = [way for way in ("lower", "canonicalize", "whitespace") if cleaned(text, way) == tokenizer.clean_fn(text)]
    if not ways:
        raise NotExportable("its tokenizer cleans texts in another way")
    return ways[0]


def _merges(tokenizer: Any, record: TokenizerRecord) -> Merges:
    vocabulary = {token: number for token, number in tokenizer.encoder.items() if token}
    pairs = [pair for pair in tokenizer.bpe_ranks if len(pair) == 2]
    try:
        merges = Merges(BPE(vocab=vocabulary, merges=pairs, end_of_word_suffix="</w>"))
    except Exception as error:  # tokenizers raises nothing narrower
        raise NotExportable(f"its vocabulary and merges do not fit each other: {error}") from error
    merges.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    merges.add_special_tokens([AddedToken(special, normalized=False) for special in record.specials])
    return merges


def _demand_same(original: Any, ours: Tokenizer, texts: Sequence[str]) -> None:
    for text, padded in zip(texts, original(list(texts)).tolist(), strict=True):
        (tokens,) = ours([text])
        if tokens + [0] * (len(padded) - len(tokens)) != padded:
            raise NotExportable(f"without torch {text[:60]!r} gives other tokens")
