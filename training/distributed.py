"""One run on several processes, as `torchrun` starts them. In a process on its own all of this does nothing."""

import os

import numpy as np
import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


def join(device: str) -> None:
    """Meet the other processes, if torchrun started this one: over NCCL on GPUs, else over gloo."""
    if "RANK" not in os.environ:
        return
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")


def leave() -> None:
    """Part from the others."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def rank() -> int:
    """Place of this process among all; the first one, 0, writes the files and speaks."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def processes() -> int:
    """How many there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def replicate(model: nn.Module) -> nn.Module:
    """The model, with gradients that are the mean over all processes after each backward pass."""
    return DistributedDataParallel(model) if distributed.is_initialized() else model


def share_buffers(model: nn.Module) -> None:
    """Give all processes the first one's buffers, such as the statistics of batch normalisation."""
    if distributed.is_initialized():
        for buffer in model.buffers():
            distributed.broadcast(buffer, 0)


def summed(values: np.ndarray, device: str) -> np.ndarray:
    """float64 of any shape: the sum over all processes, in each of them."""
    if not distributed.is_initialized():
        return values
    tensor = torch.from_numpy(values).to(device)
    distributed.all_reduce(tensor)
    return tensor.cpu().numpy()


def any_of(flag: bool, device: str) -> bool:
    """Whether it is true in any process; all must ask together."""
    return bool(summed(np.array([float(flag)]), device)[0])
