"""Where a policy computes and in which precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pipeline.config import ComputeConfig
from pipeline.errors import GenerationError


def choose_device(compute: ComputeConfig) -> torch.device:
    """The device that the settings ask for. Raises: GenerationError when it is not there."""
    has_cuda = torch.cuda.is_available()
    if compute.device == "cuda" and not has_cuda:
        raise GenerationError(
            "compute.device is cuda, but no CUDA device is visible; use --set compute.device=cpu"
        )
    return torch.device("cuda" if has_cuda and compute.device != "cpu" else "cpu")


def choose_dtype(compute: ComputeConfig, device: torch.device) -> torch.dtype:
    """The precision asked for; `auto` is bf16 on a GPU that computes it, and fp32 on every CPU.

    Small matrices in bf16 were several times slower than in fp32 on a CPU that has instructions for it.
    """
    if compute.precision == "auto":
        has_bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if has_bf16 else torch.float32
    return torch.bfloat16 if compute.precision == "bf16" else torch.float32


def set_threads(compute: ComputeConfig) -> None:
    """Use the number of CPU threads that the settings ask for."""
    if compute.threads is not None:
        torch.set_num_threads(compute.threads)


@contextmanager
def sharing_cores(compute: ComputeConfig, workers: int) -> Iterator[None]:
    """Compute on the CPU threads that `workers` other processes leave over, at least one.

    Threads that wait for a core spin, so policy and workers together on too few cores slow each other down by half.
    """
    threads = torch.get_num_threads()
    if compute.threads is None:
        torch.set_num_threads(max(1, threads - workers))
    try:
        yield
    finally:
        torch.set_num_threads(threads)
