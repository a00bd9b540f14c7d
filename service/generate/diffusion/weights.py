"""From the weights a setting names to the files that are loaded: safetensors only, no code of strangers, no torch."""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

INDEX: Final = "model_index.json"
_LIBRARIES: Final = frozenset({"diffusers", "transformers"})
_WITHOUT_WEIGHTS: Final = re.compile(r"Scheduler$|Tokenizer|Processor|FeatureExtractor")
"""Classes of components that come without weights."""
_REPOSITORY: Final = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*(?:@[\w./-]{1,200})?")
_HASHED: Final = frozenset({".json", ".txt", ".model", ".safetensors"})
_TOKENIZER: Final = "tokenizer_config.json"
_VOCABULARIES: Final = (("tokenizer.json",), ("vocab.json", "merges.txt"), ("spiece.model",))
"""Files beside it, any of which do: those of tokenizers whose download broke off are not all there."""
_LARGEST_INDEX: Final = 10_000_000
"""Bytes of a JSON file that is read."""


class UnusableWeights(Exception):
    """They are not there, or not such as may be loaded; the message says what to do."""


class NotHere(UnusableWeights):
    """They are not on this machine; the hub may have them."""


@dataclass(frozen=True)
class Weights:
    """`folder` is a local directory; weights without one are a repository of the hub, `revision` its commit.

    Of a directory, `revision` is a SHA-256 over what is loaded from it.
    """

    name: str
    revision: str
    folder: Path | None


def located(name: str, marker: str = INDEX, *, here: bool = False) -> Weights:
    """The weights that a setting names, by a directory or a repository that has `marker`; raises UnusableWeights.

    `here`: without asking the hub; raises NotHere where it would have to be.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        folder = folder.resolve()
        if not (folder / marker).is_file():
            raise UnusableWeights(f"{name} has no {marker}: name a directory in the format of diffusers.")
        if marker == INDEX:
            verify(folder)
        return Weights(name, _digest(folder), folder)
    if not _REPOSITORY.fullmatch(name):
        raise UnusableWeights(f"{name} is neither a directory nor a repository of the hub (ORGANISATION/NAME).")
    repository, revision = repository_of(name)
    found = _fetched(repository, revision, marker, here=here)
    if marker == INDEX:
        components(found)
    return Weights(name, found.parents[marker.count("/")].name, None)


def repository_of(name: str) -> tuple[str, str | None]:
    """ORGANISATION/NAME, and the revision after the @."""
    repository, _, revision = name.partition("@")
    return repository, revision or None


def components(index: Path) -> dict[str, str]:
    """Component → its class, of a pipeline's index; raises UnusableWeights where something else than the two libraries
    would be imported."""
    content = _read(index)
    found = {name: value for name, value in content.items() if not name.startswith("_") and isinstance(value, list)}
    if not isinstance(content.get("_class_name"), str):
        raise UnusableWeights(f"{index}: a pipeline of its own, with code, is never loaded; use one of diffusers.")
    for name, value in found.items():
        if not name.isidentifier() or len(value) != 2 or not all(isinstance(part, str | None) for part in value):
            raise UnusableWeights(f"{index}: {name!r} is no component of a pipeline.")
        if value[0] is not None and value[0] not in _LIBRARIES:
            raise UnusableWeights(f"{index}: {name} is from {value[0]!r}; only diffusers and transformers are loaded.")
    return {name: str(value[1]) for name, value in found.items() if value[0] is not None}


def verify(folder: Path) -> None:
    """Every component with weights has them as safetensors within its directory; raises UnusableWeights."""
    for name, class_name in components(folder / INDEX).items():
        if not _WITHOUT_WEIGHTS.search(class_name):
            verify_component(folder / name)


def verify_component(folder: Path) -> None:
    """The same of one component."""
    if not any(folder.glob("*.safetensors")):
        unsafe = sorted(path.name for path in folder.glob("*") if path.suffix in {".bin", ".pt", ".pth", ".ckpt"})
        found = f" ({', '.join(unsafe)} can run code when opened and is never loaded)" if unsafe else ""
        raise UnusableWeights(f"{folder} has no weights as .safetensors{found}; convert or download them.")
    for index in folder.glob("*.safetensors.index*.json"):
        shards = _read(index).get("weight_map")
        if not isinstance(shards, dict) or any(Path(str(shard)).name != shard for shard in shards.values()):
            raise UnusableWeights(f"{index}: its weight_map must name files beside it.")


def _read(path: Path) -> dict[str, object]:
    try:
        if path.stat().st_size > _LARGEST_INDEX:
            raise UnusableWeights(f"{path} is too large to be an index.")
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableWeights(f"{path} cannot be read as JSON ({type(error).__name__}); download it again.") from error
    if not isinstance(content, dict):
        raise UnusableWeights(f"{path} is not an object; download it again.")
    return content


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in _loaded(folder):
        status = path.stat()
        content = _file_digest(path.resolve(), status.st_size, status.st_mtime_ns)
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def _loaded(folder: Path, within: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Files that decide about the pictures, in the order of their names, behind links too, but for links to a directory
    that the link is `within`."""
    within |= {folder.resolve()}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if path.resolve() not in within:
                yield from _loaded(path, within)
        elif path.suffix in _HASHED and path.is_file():
            yield path


@lru_cache(maxsize=4096)
def _file_digest(path: Path, size: int, modified: int) -> str:
    """Read once for as long as size and time of change stay."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tokenizer_of(weights: Weights, name: str, *, here: bool = False) -> Path:
    """The directory of a tokenizer; of the hub only that is fetched. Raises UnusableWeights, and NotHere as `located`
    does."""
    if weights.folder is not None:
        return weights.folder / name
    repository, _ = repository_of(weights.name)
    if here:
        folder = _fetched(repository, weights.revision, f"{name}/{_TOKENIZER}", here=True).parent
        if not any(all((folder / file).is_file() for file in files) for files in _VOCABULARIES):
            raise NotHere(f"{repository}: {name} is not all here.")
        return folder
    from huggingface_hub import snapshot_download

    with _fetching(repository, name):
        fetched = snapshot_download(repository, revision=weights.revision, allow_patterns=[f"{name}/*"])
    return Path(fetched) / name


def _fetched(repository: str, revision: str | None, file: str, *, here: bool) -> Path:
    """`here`: of what is on this machine the newest that was fetched."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    with _fetching(repository, file):
        if not here:
            return Path(hf_hub_download(repository, file, revision=revision))
        found = try_to_load_from_cache(repository, file, revision=revision)  # the other asks a hub in any case
    if not isinstance(found, str):
        raise NotHere(f"{repository}: {file} is not here.")
    return Path(found)


@contextmanager
def _fetching(repository: str, what: str) -> Iterator[None]:
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        yield
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise UnusableWeights(
            f"{repository}: could not fetch {what} from the hub ({type(error).__name__}). Check the name and the "
            "network, or download the repository and give its directory."
        ) from error
