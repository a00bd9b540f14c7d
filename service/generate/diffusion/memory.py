"""Pipelines on a GPU, and what is tried when its memory does not do."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from service.generate.diffusion.loading import Loader, Offload, Shared, Target
from service.generate.seam import GenerationFailed

T = TypeVar("T")
_NEXT: Final[dict[Offload, Offload]] = {"none": "model", "model": "sequential"}


def place(pipe: Any, target: Target, offload: Offload) -> None:
    """Where it runs, or on the CPU with only the model, or the layer, that is at work on the GPU."""
    pipe.remove_all_hooks()
    if offload == "none" or not target.on_gpu:
        pipe.to(target.device)
    elif offload == "model":
        pipe.enable_model_cpu_offload(device=target.device)
    else:
        pipe.enable_sequential_cpu_offload(device=target.device)


def with_room(loader: Loader, shared: Shared, attempt: Callable[[], T]) -> T:
    """What `attempt` returns; out of memory, it is tried again without other weights on the GPU, then one picture at a
    time, then with more kept off the GPU.

    What was found to be necessary stays so. Raises GenerationFailed when nothing is left to try.
    """
    import torch

    makes_room = True
    while True:
        try:
            return attempt()
        except torch.OutOfMemoryError:
            # Once: other weights that take part, as a refiner's do, are back after each attempt.
            tried = (makes_room and loader.make_room(shared)) or _tightened(shared, loader.target)
            makes_room = False
        if not tried:
            raise GenerationFailed(
                f"{shared.weights.name}: out of memory, with one picture at a time and offload {shared.offload}; ask "
                "for a smaller size or fewer bits of precision."
            )
        # The failed call's tensors are only free outside of the handler, for its frames hold them.
        if loader.target.on_gpu:
            torch.accelerator.empty_cache()


def _tightened(shared: Shared, target: Target) -> bool:
    """Whether there was anything left to do without."""
    if shared.batch > 1:
        shared.batch = 1
        return True
    further = _NEXT.get(shared.offload) if target.on_gpu else None
    if further is not None:
        shared.offload = further
    return further is not None
