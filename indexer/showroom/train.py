"""Trains the showroom model from scratch on rendered products: `python -m indexer.showroom.train`.

First both towers on pictures and words, then the text tower and the image head on the finished features of the image
tower: without pictures to look at, many more texts are read in the same time.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from indexer.showroom.batches import Batch, HeadSampler, Sampler
from indexer.showroom.bpe import MERGES_FILE, learn_merges, write_merges
from indexer.showroom.objective import augmented, photo_loss, text_loss
from indexer.showroom.pool import Bytes, Pool, PoolShape, open_pool, start_workers, wait_until_ready
from indexer.showroom.recipe import (
    CARD_FILE,
    CONFIG_FILE,
    WEIGHTS_FILE,
    Recipe,
    merge_corpus,
    open_clip_config,
    recipe_row,
)
from indexer.showroom.schedule import Clock, learning_rate

SHIPPED = Path(__file__).parent / "model"
SHORT_TEXT = 20
"""Tokens; texts up to this length are encoded apart from longer ones, which saves padding."""
EXPORT_EVERY = 600.0
"""Seconds between exports while training."""


class Trainer:
    """Model, optimiser and step count."""

    def __init__(self, recipe: Recipe, tokenizer: Any, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.tokenizer, self.device, self.step = recipe, tokenizer, device, 0
        config = open_clip_config(recipe, tokenizer.vocab_size)
        self.model: Any = open_clip.CLIP(**config["model_cfg"]).to(device, memory_format=torch.channels_last)
        self.photo_scale = nn.Parameter(torch.tensor(log(1 / 0.07), device=device))
        weights = [p for p in self.model.parameters() if p.ndim >= 2]
        scalars = [p for p in self.model.parameters() if p.ndim < 2] + [self.photo_scale]
        groups = [{"params": weights, "weight_decay": recipe.decay}, {"params": scalars, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))
        self.noise = torch.Generator().manual_seed(recipe.seed)

    def train_on(self, batch: Batch, rate: float) -> tuple[float, float]:
        """One step at the learning rate; returns the losses (text and image, photo and studio)."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        count = len(batch.family)
        images = torch.cat([self._pixels(batch.studio, photo=False), self._pixels(batch.photo, photo=True)])
        with torch.autocast(self.device.type, torch.bfloat16):
            seen = self.model.encode_image(images)
        seen, read = F.normalize(seen.float(), dim=-1), F.normalize(self.read(batch.texts), dim=-1)
        words = text_loss(read, seen, torch.from_numpy(batch.facts).to(self.device), self.model.logit_scale.exp())
        kin = torch.from_numpy(batch.family[:, None] == batch.family[None, :]).to(self.device)
        photos = photo_loss(seen[count:], seen[:count], kin, self.recipe.kinship, self.photo_scale.exp())
        self.optimiser.zero_grad(set_to_none=True)
        (words + photos).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimiser.step()
        self.clamp_scales()
        self.step += 1
        return float(words.detach()), float(photos.detach())

    def clamp_scales(self) -> None:
        """Keep both temperatures within CLIP's bound (Radford et al. 2021, §2.5)."""
        with torch.no_grad():
            for scale in (self.model.logit_scale, self.photo_scale):
                scale.clamp_(0.0, log(100.0))

    def features(self, images: Bytes) -> Tensor:
        """What the image tower hands its head: (variants, pictures, width) of one family's pictures, undisturbed."""
        self.model.eval()
        flat = images.reshape(-1, *images.shape[2:])
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16):
            rows = self.model.visual.trunk(self._scaled(flat))
        features: Tensor = rows.float().view(*images.shape[:2], -1).clone()
        return features

    def _scaled(self, images: Bytes) -> Tensor:
        x = torch.from_numpy(np.ascontiguousarray(images)).to(self.device).permute(0, 3, 1, 2)
        return x.float().div_(127.5).sub_(1.0)

    def _pixels(self, images: Bytes, photo: bool) -> Tensor:
        return augmented(self._scaled(images), photo, self.noise)

    def read(self, texts: Sequence[str]) -> Tensor:
        """Text features (n, dim) in the order given, short and long texts encoded apart."""
        with torch.autocast(self.device.type, torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            return self._read(texts).float()

    def _read(self, texts: Sequence[str]) -> Tensor:
        tokens = self.tokenizer(texts).to(self.device)
        lengths = tokens.argmax(dim=1) + 1
        short = lengths <= SHORT_TEXT
        parts = [(index, tokens[index]) for index in (short.nonzero()[:, 0], (~short).nonzero()[:, 0]) if len(index)]
        rows = torch.cat([self._encode_text(part[:, : int(lengths[index].max())]) for index, part in parts])
        order = torch.cat([index for index, _ in parts])
        return rows[order.argsort()]

    def _encode_text(self, tokens: Tensor) -> Tensor:
        """open_clip's CLIP.encode_text without the padding, which a causal tower never looks at."""
        model, length = self.model, tokens.shape[1]
        x = model.token_embedding(tokens) + model.positional_embedding[:length]
        x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:length, :length]))
        pooled: Tensor = x[torch.arange(len(x), device=x.device), tokens.argmax(dim=-1)] @ model.text_projection
        return pooled


class HeadTrainer:
    """The second part: text tower and image head, on what the image tower makes of every picture in the pool."""

    def __init__(self, trainer: Trainer, pool: Pool) -> None:
        recipe, model = trainer.recipe, trainer.model
        families = pool.ready()
        self.recipe, self._trainer = recipe, trainer
        self._sampler = HeadSampler(families, recipe, seed=recipe.seed)
        self._features = torch.cat([trainer.features(pool.images[number]) for number in families.tolist()])
        self._noise = recipe.head_noise * self._features.std(dim=(0, 1))
        parts = (model.token_embedding, model.transformer, model.ln_final, model.visual.head)
        self._parameters = [p for part in parts for p in part.parameters()]
        self._parameters += [model.positional_embedding, model.text_projection, model.logit_scale, trainer.photo_scale]
        self._optimiser = torch.optim.AdamW(self._parameters, weight_decay=recipe.decay, betas=(0.9, 0.98))

    def step(self, rate: float) -> float:
        """One step at the learning rate; returns the loss of the texts."""
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        batch, trainer = self._sampler.batch(), self._trainer
        read = F.normalize(trainer.read(batch.texts), dim=-1)
        features = self._features[torch.from_numpy(batch.products)]
        images = F.normalize(trainer.model.visual.head(features + self._noise * torch.randn_like(features)), dim=-1)
        facts = torch.from_numpy(batch.facts).to(read.device)
        words = text_loss(read, images.transpose(0, 1).flatten(0, 1), facts, trainer.model.logit_scale.exp())
        kin = torch.from_numpy(batch.family[:, None] == batch.family[None, :]).to(read.device)
        photo = images[:, 1 + self._sampler.photo()]
        photos = photo_loss(photo, images[:, 0], kin, self.recipe.kinship, trainer.photo_scale.exp())
        self._optimiser.zero_grad(set_to_none=True)
        (words + self.recipe.head_photos * photos).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._parameters, 5.0)
        self._optimiser.step()
        trainer.clamp_scales()
        return float(words.detach())


def export(trainer: Trainer, directory: Path, bpe: Path, facts: dict[str, Any]) -> None:
    """Writes weights (fp16; normalisation statistics fp32), config, merges and card; each file appears whole."""
    directory.mkdir(parents=True, exist_ok=True)
    state = {name: _stored(name, value) for name, value in trainer.model.state_dict().items()}
    config = open_clip_config(trainer.recipe, trainer.tokenizer.vocab_size)
    card = {"name": "showroom", "licence": "Apache-2.0", "steps": trainer.step, **facts}
    card |= {"parameters": sum(p.numel() for p in trainer.model.parameters()), "recipe": recipe_row(trainer.recipe)}
    save_file(state, directory / f"{WEIGHTS_FILE}.new", metadata={"format": "pt"})
    (directory / f"{MERGES_FILE}.new").write_bytes(bpe.read_bytes())
    (directory / f"{CONFIG_FILE}.new").write_text(json.dumps(config, indent=2) + "\n")
    (directory / f"{CARD_FILE}.new").write_text(json.dumps(card, indent=2) + "\n")
    for name in (MERGES_FILE, CONFIG_FILE, WEIGHTS_FILE, CARD_FILE):
        (directory / f"{name}.new").replace(directory / name)


def _stored(name: str, value: Tensor) -> Tensor:
    keep = not value.is_floating_point() or "running_" in name
    return value.detach().cpu().contiguous().to(value.dtype if keep else torch.float16)


def save_checkpoint(trainer: Trainer, path: Path, elapsed: float) -> None:
    """Everything needed to go on, in one file that appears whole."""
    state = {"model": trainer.model.state_dict(), "optimiser": trainer.optimiser.state_dict()}
    state |= {"photo_scale": trainer.photo_scale.detach(), "step": trainer.step, "elapsed": elapsed}
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def load_checkpoint(trainer: Trainer, path: Path) -> float:
    """Takes up a saved state; returns the seconds of training behind it."""
    state = torch.load(path, map_location=trainer.device, weights_only=True)
    trainer.model.load_state_dict(state["model"])
    trainer.optimiser.load_state_dict(state["optimiser"])
    trainer.photo_scale.data.copy_(state["photo_scale"])
    trainer.step = int(state["step"])
    return float(state["elapsed"])


def prepared_tokenizer(recipe: Recipe, home: Path) -> tuple[SimpleTokenizer, Path]:
    """The tokenizer of the recipe and its merges file, learned when the file is not there yet."""
    path = home / f"merges-{recipe.merges}-{recipe.seed}.txt.gz"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        write_merges(learn_merges(merge_corpus(recipe), recipe.merges), path)
    return SimpleTokenizer(str(path), context_length=recipe.context), path


def train(recipe: Recipe, options: argparse.Namespace) -> None:
    """Renders, trains and exports; every print is one line of progress."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_num_threads(options.threads)
    tokenizer, bpe = prepared_tokenizer(recipe, options.home)
    trainer = Trainer(recipe, tokenizer, device)
    checkpoint = options.home / "checkpoint.pt"
    behind = load_checkpoint(trainer, checkpoint) if options.resume and checkpoint.exists() else 0.0
    shape = PoolShape(recipe.families, recipe.variants, recipe.size)
    pool = open_pool(options.home / "pool", shape)
    workers = start_workers(options.home / "pool", shape, options.workers)
    began = time.monotonic()
    wait_until_ready(pool, workers)
    print(f"pool {recipe.families} families after {time.monotonic() - began:.0f} s, device {device}", flush=True)
    sampler = Sampler(pool, recipe, seed=recipe.seed + trainer.step)
    clock = Clock(options.minutes, options.steps, time.monotonic() - behind)
    facts: dict[str, Any] = {
        "machine": f"{platform.machine()}, {options.threads} threads, {device}",
        "torch": torch.__version__,
    }

    def keep() -> None:
        elapsed = time.monotonic() - clock.started
        facts["minutes"] = round(elapsed / 60, 1)
        save_checkpoint(trainer, checkpoint, elapsed)
        export(trainer, options.out, bpe, facts)

    _both_towers(trainer, sampler, clock, keep)
    facts["head_steps"] = _heads(HeadTrainer(trainer, pool), options.head_minutes)
    export(trainer, options.out, bpe, facts)


def _both_towers(trainer: Trainer, sampler: Sampler, clock: Clock, keep: Callable[[], None]) -> None:
    saved = said = time.monotonic()
    mean = np.zeros(2)
    progress = clock.progress(trainer.step)
    while progress < 1.0:
        rate = learning_rate(trainer.recipe.rate, trainer.recipe.warm_up, progress)
        losses = trainer.train_on(sampler.batch(), rate)
        mean = np.array(losses) if not mean.any() else 0.98 * mean + 0.02 * np.array(losses)
        progress, now = clock.progress(trainer.step), time.monotonic()
        if now - said > 15:
            left = (now - clock.started) * (1 / max(progress, 1e-6) - 1)
            print(f"step {trainer.step} text {mean[0]:.3f} photo {mean[1]:.3f} ETA {left / 60:.1f} min", flush=True)
            said = now
        if now - saved > EXPORT_EVERY:
            keep()
            saved = now
    keep()
    print(f"both towers: {trainer.step} steps", flush=True)


def _heads(trainer: HeadTrainer, minutes: float) -> int:
    """Trains for so many minutes; returns the number of steps."""
    clock = Clock(minutes, None, time.monotonic())
    said, step, mean, progress = clock.started, 0, 0.0, 0.0
    while progress < 1.0:
        loss = trainer.step(learning_rate(trainer.recipe.head_rate, trainer.recipe.warm_up, progress))
        mean = 0.98 * mean + 0.02 * loss if step else loss
        step, progress = step + 1, clock.progress(step)
        if time.monotonic() - said > 15:
            print(f"heads: step {step} loss {mean:.3f}, {100 * progress:.0f} %", flush=True)
            said = time.monotonic()
    return step


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line; every number of the recipe is an option."""
    home = Path(os.environ.get("VITRINE_HOME", ".vitrine")) / "showroom-training"
    parser = argparse.ArgumentParser(prog="python -m indexer.showroom.train", description=__doc__)
    parser.add_argument("--out", type=Path, default=SHIPPED, help="where the model goes")
    parser.add_argument("--home", type=Path, default=home, help="rendered pool and checkpoints")
    parser.add_argument("--minutes", type=float, default=42, help="training time of both towers")
    parser.add_argument("--head-minutes", type=float, default=14, help="training time of text tower and image head")
    parser.add_argument("--steps", type=int, help="train so many steps instead: the same result on any clock")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="rendering processes")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    for field in fields(Recipe):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default)
    options = parser.parse_args(arguments)
    train(replace(Recipe(), **{field.name: getattr(options, field.name) for field in fields(Recipe)}), options)


if __name__ == "__main__":
    main()
