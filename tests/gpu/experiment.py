"""What happens on the GPU: the experiments that `run`, beside this, has Reprieve run.

    experiment.py ROLE BYTES [MEETING]     ROLE is a function below that is marked as one

It allocates with PyTorch where that is installed, else with CUDA's driver
library alone, so it needs neither PyTorch nor a compiler. `BYTES` is what it allocates. Where a directory to meet in is named, it does
nothing before the runner watches it there.
"""

import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path

# What memory is filled with, so that a neighbour can tell whether it was touched.
FILLING = 0xA5

# Stores to an address that nothing is mapped to.
FAULTING_KERNEL = b"""
.version 6.0
.target sm_50
.address_size 64
.visible .entry store()
{
    .reg .b32 %r<2>;
    .reg .b64 %rd<2>;
    mov.u64 %rd1, 16;
    mov.u32 %r1, 1;
    st.global.u32 [%rd1], %r1;
    ret;
}
"""

# No process of ours holds a device longer, whatever becomes of the runner.
LONGEST_HOLD_S = 600


class CudaError(RuntimeError):
    """A call that failed, with CUDA's own words for it."""


class Cuda:
    """The primary context of the first visible device, as PyTorch uses it."""

    def __init__(self):
        self.driver = ctypes.CDLL(os.environ.get("REPRIEVE_CUDA_LIBRARY", "libcuda.so.1"))
        self.held_bytes = 0
        device, context = ctypes.c_int(), ctypes.c_void_p()
        self.call("cuInit", 0)
        self.call("cuDeviceGet", ctypes.byref(device), 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self.call("cuCtxSetCurrent", context)

    def call(self, function, *arguments):
        code = getattr(self.driver, function)(*arguments)
        if code == 2:
            raise MemoryError(function)
        if code != 0:
            words = ctypes.c_char_p()
            self.driver.cuGetErrorString(code, ctypes.byref(words))
            raise CudaError(f"CUDA error: {(words.value or b'unknown').decode()} ({function} returned {code})")

    def hold(self, size_bytes):
        """Allocates and fills; says in PyTorch's words where there is not so much."""
        address = ctypes.c_uint64()
        try:
            self.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size_bytes))
        except MemoryError:
            free, total = ctypes.c_size_t(), ctypes.c_size_t()
            self.call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
            raise MemoryError(
                f"CUDA out of memory. Tried to allocate {gib(size_bytes)}. GPU 0 has a total capacity of "
                f"{gib(total.value)} of which {gib(free.value)} is free. Including non-PyTorch memory, "
                f"this process has {gib(self.held_bytes)} memory in use."
            ) from None
        self.held_bytes += size_bytes
        self.call("cuMemsetD8_v2", address, ctypes.c_ubyte(FILLING), ctypes.c_size_t(size_bytes))
        self.call("cuCtxSynchronize")
        return address

    def is_as_filled(self, address, size_bytes):
        """Whether the first and the last MiB still hold what they were filled with."""
        piece = ctypes.create_string_buffer(min(size_bytes, 1 << 20))
        for offset in (0, size_bytes - len(piece)):
            begin = ctypes.c_uint64(address.value + offset)
            self.call("cuMemcpyDtoH_v2", piece, begin, ctypes.c_size_t(len(piece)))
            if piece.raw != bytes([FILLING]) * len(piece):
                return False
        return True

    def fault(self):
        """Has the device store where no memory is."""
        module, kernel = ctypes.c_void_p(), ctypes.c_void_p()
        self.call("cuModuleLoadData", ctypes.byref(module), FAULTING_KERNEL)
        self.call("cuModuleGetFunction", ctypes.byref(kernel), module, b"store")
        one = ctypes.c_uint(1)
        self.call("cuLaunchKernel", kernel, one, one, one, one, one, one, ctypes.c_uint(0), None, None, None)
        self.call("cuCtxSynchronize")


class Torch(Cuda):
    """PyTorch's allocator, and its own words for errors, on the same context."""

    def __init__(self):
        import torch

        self.torch = torch
        self.kept = []
        torch.cuda.init()
        super().__init__()

    def hold(self, size_bytes):
        self.kept.append(self.torch.full((size_bytes,), FILLING, dtype=self.torch.uint8, device="cuda"))
        self.torch.cuda.synchronize()
        return ctypes.c_uint64(self.kept[-1].data_ptr())


def open_device():
    try:
        return Torch()
    except ImportError:
        return Cuda()


def gib(size_bytes):
    return f"{size_bytes / (1 << 30):.2f} GiB"


ROLES = {}


def role(function):
    ROLES[function.__name__.replace("_", "-")] = function
    return function


@role
def exits(size_bytes):
    """Allocates, and exits as a program should."""
    open_device().hold(size_bytes)


@role
def is_killed(size_bytes):
    """Is killed while it holds memory."""
    open_device().hold(size_bytes)
    os.kill(os.getpid(), signal.SIGKILL)


@role
def leaves_an_orphan(size_bytes):
    """Exits, and leaves a daemon of another name that holds memory."""
    reading, writing = os.pipe()
    if os.fork() > 0:
        os.close(writing)
        if os.read(reading, 1) != b"!":
            sys.exit("the orphan got no memory")
        return
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
    ctypes.CDLL(None).prctl(15, b"innocent", 0, 0, 0)  # PR_SET_NAME
    open_device().hold(size_bytes)
    os.write(writing, b"!")
    time.sleep(LONGEST_HOLD_S)


@role
def wants_too_much(size_bytes):
    """Runs out of memory, by itself or for what others hold."""
    cuda = open_device()
    cuda.hold(size_bytes)
    cuda.hold(size_bytes)


@role
def faults(size_bytes):
    """Holds memory, and writes where none is."""
    cuda = open_device()
    cuda.hold(size_bytes)
    cuda.fault()


@role
def comes_next(size_bytes):
    """Says who of the experiment before it still lives, then needs memory of its own."""
    mark = f"\0SITUATION={os.environ['AFTER_SITUATION']}\0".encode()
    survivors = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in b"\0" + (process / "environ").read_bytes():
                survivors.append(int(process.name))
        except OSError:
            pass  # It has ended, or is another user's.
    print(json.dumps(survivors), flush=True)
    open_device().hold(size_bytes)


@role
def neighbour(size_bytes):
    """Is nobody's business: holds memory until its input ends, and fails where that was touched."""
    cuda = open_device()
    address = cuda.hold(size_bytes)
    print("holds", flush=True)
    sys.stdin.read()
    if not cuda.is_as_filled(address, size_bytes):
        sys.exit("the neighbour's memory was touched")


def meet(meeting):
    """Lets the runner watch this process, so that it can tell when it ended."""
    (meeting / "new").write_text(str(os.getpid()))
    (meeting / "new").rename(meeting / "pid")
    while not (meeting / "watched").exists():
        time.sleep(0.005)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        meet(Path(sys.argv[3]))
    ROLES[sys.argv[1]](int(sys.argv[2]))
