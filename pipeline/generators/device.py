"""Where a policy computes and in which precision."""

from __future__ import annotations

from functools import lru_cache

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
    """bf16 where asked for, or where `auto` finds hardware that computes it; else fp32."""
    if compute.precision == "auto":
        return torch.bfloat16 if _has_bf16(device.type) else torch.float32
    return torch.bfloat16 if compute.precision == "bf16" else torch.float32


def set_threads(compute: ComputeConfig) -> None:
    """Use the number of CPU threads that the settings ask for."""
    if compute.threads is not None:
        torch.set_num_threads(compute.threads)


@lru_cache
def _has_bf16(device_type: str) -> bool:
    if device_type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu._is_avx512_bf16_supported())
