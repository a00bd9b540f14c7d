"""The benchmark of GPUs where there is none."""

import runpy
import sys

import pytest
import torch

from eval.benchmarks.gpu import flops_per_photo, in_turn, noise

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")


def test_without_a_gpu_it_says_so_and_succeeds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["eval.benchmarks", "gpu"])

    runpy.run_module("eval.benchmarks", run_name="__main__", alter_sys=True)

    assert capsys.readouterr().out.strip() == "No GPU is at hand: nothing was measured."


@pytest.mark.parametrize(("architecture", "billions"), [("ViT-B-32", 8.8), ("ViT-L-14", 162)])
def test_the_work_of_a_photo_is_that_of_the_published_shape(architecture: str, billions: float) -> None:
    assert flops_per_photo(architecture) / 1e9 == pytest.approx(billions, rel=0.01)


def test_ways_take_turns_and_the_first_round_does_not_count() -> None:
    called: list[str] = []

    rates = in_turn({"one": lambda: called.append("one"), "other": lambda: called.append("other")}, 10)

    assert called[:4] == ["one", "other", "one", "other"]
    assert called.count("one") == called.count("other") > 1
    assert all(rate > 0 for rate in rates.values())


def test_photos_of_noise_are_as_many_as_asked_for() -> None:
    assert [photo.shape for photo in noise(70, (3, 2))] == [(3, 2, 3)] * 70
