"""One experiment that uses a GPU, and ends as its first argument says.

Uses PyTorch where it is installed, else the CUDA driver's own interface. It
knows nothing of Reprieve.
"""

import ctypes
import os
import signal
import sys
import time

# Writes one word to an address that nothing is mapped at.
FAULTING_KERNEL = b"""
.version 6.0
.target sm_50
.address_size 64
.visible .entry fault() {
    .reg .u64 %address;
    .reg .u32 %word;
    mov.u64 %address, 16;
    mov.u32 %word, 1;
    st.global.u32 [%address], %word;
    ret;
}
"""


class Driver:
    """The CUDA driver, by its C interface."""

    def __init__(self):
        self.cuda = ctypes.CDLL("libcuda.so.1")
        context = ctypes.c_void_p()
        self.call("cuInit", 0)
        self.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
        self.call("cuCtxSetCurrent", context)

    def call(self, function, *arguments):
        code = getattr(self.cuda, function)(*arguments)
        if code != 0:
            text = ctypes.c_char_p()
            self.cuda.cuGetErrorString(code, ctypes.byref(text))
            message = (text.value or b"unknown error").decode()
            raise RuntimeError(f"CUDA error: {message} ({function} returned {code})")

    def total_bytes(self):
        total = ctypes.c_size_t()
        self.call("cuDeviceTotalMem_v2", ctypes.byref(total), 0)
        return total.value

    def allocate(self, size_bytes):
        address = ctypes.c_uint64()
        self.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size_bytes))
        # The first MiB is enough: memory of a GPU is mapped when it is allocated.
        self.call("cuMemsetD8_v2", address, 1, ctypes.c_size_t(min(size_bytes, 1 << 20)))
        self.call("cuCtxSynchronize")


class Torch(Driver):
    """PyTorch, with its allocator and its words for errors."""

    def __init__(self):
        import torch

        self.torch = torch
        self.cuda = ctypes.CDLL("libcuda.so.1")
        torch.cuda.init()
        torch.empty(1, device="cuda")

    def allocate(self, size_bytes):
        self.kept = self.torch.ones(size_bytes, dtype=self.torch.uint8, device="cuda")
        self.torch.cuda.synchronize()


def gpu():
    try:
        return Torch()
    except ImportError:
        return Driver()


def hold(share):
    """Allocates this share of the device's memory."""
    device = gpu()
    device.allocate(int(device.total_bytes() * share))
    return device


def fault():
    """Has a kernel write where it must not."""
    machine = os.environ.get("STAND_IN_MACHINE")
    if machine:
        # No kernel runs on a stand-in: it is told of the driver's Xid instead.
        with open(f"{machine}/xids/{os.environ['CUDA_VISIBLE_DEVICES']}", "a") as xids:
            xids.write("31\n")
        sys.exit("CUDA error: an illegal memory access was encountered")
    device = hold(0.5)
    module, function = ctypes.c_void_p(), ctypes.c_void_p()
    device.call("cuModuleLoadData", ctypes.byref(module), FAULTING_KERNEL)
    device.call("cuModuleGetFunction", ctypes.byref(function), module, b"fault")
    device.call("cuLaunchKernel", function, 1, 1, 1, 1, 1, 1, 0, None, None, None)
    device.call("cuCtxSynchronize")
    sys.exit("the device did not notice a write to nowhere")


def orphan(pids):
    """Leaves a process behind that holds memory: twice forked, in a session of its own, renamed."""
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            PR_SET_NAME = 15
            ctypes.CDLL(None).prctl(PR_SET_NAME, b"not-python", 0, 0, 0)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            held = hold(0.8)
            with open(pids, "a") as file:
                file.write(f"{os.getpid()}\n")
            os.write(write, b".")
            time.sleep(3600)
            del held
        os._exit(0)
    os.close(write)
    sys.exit(0 if os.read(read, 1) else "the orphan has not come up")


def main():
    how, *rest = sys.argv[1:]
    if how == "exit":
        hold(float(rest[0]))
    elif how == "killed":
        held = hold(0.8)
        os.kill(os.getpid(), signal.SIGKILL)
        del held
    elif how == "orphan":
        orphan(rest[0])
    elif how == "fault":
        fault()
    elif how == "neighbour":
        # Holds its share until its standard input ends.
        held = hold(float(rest[0]))
        print("holding", flush=True)
        sys.stdin.read()
        del held


main()
