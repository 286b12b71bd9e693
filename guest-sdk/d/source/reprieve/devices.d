/// The leased devices: how they are, and what cleaning them brings. Outside a host there are none.
module reprieve.devices;

import std.sumtype;

import reprieve.abi;
import reprieve.cleanup;
import reprieve.optional;
import reprieve.time;

/// A device's memory in bytes.
struct Memory
{
    ulong total;
    ulong used;
    ulong baseline;
}

/// What the driver recommends.
enum Recovery : ubyte
{
    none,
    resetDevice,
    restartMachine,
    inspect,
}

/// A reading of one device.
struct Status
{
    string uuid;
    string name;
    Memory memory;
    Optional!uint celsius;
    Optional!uint milliwatts;
    Optional!uint utilizationPercent;
    Optional!bool throttled;
    Optional!ulong uncorrectedErrors;
    Optional!Recovery recovery;
    uint processes;
}

struct Unavailable
{
    string why;
}

struct NoSuchDevice
{
}

struct NotSupported
{
}

struct DeviceLost
{
}

struct Transient
{
    string why;
}

struct OtherError
{
    string why;
}

/// Why there is no reading.
alias StatusError = SumType!(Unavailable, NoSuchDevice, NotSupported, DeviceLost, Transient, OtherError);

/// A reading, or why there is none.
alias Reading = SumType!(Status, StatusError);

struct Done
{
}

struct Skipped
{
    string why;
}

struct Failed
{
    string why;
}

/// How an action went.
alias Outcome = SumType!(Done, Skipped, Failed);

/// What an action brought.
struct Report
{
    Outcome outcome;
    Duration took;
    ulong releasedBytes;
}

/// The host does not allow it.
struct Refused
{
    string why;
}

version (WebAssembly)
{
    import ldc.attributes : llvmAttr;

    private enum from(string place) = llvmAttr("wasm-import-module", "reprieve:policy/" ~ place ~ "@0.1.0");
    private enum called(string name) = llvmAttr("wasm-import-name", name);

    private extern (C) @from!"nvml-status" @called!"device-count" uint reprieve_device_count();
    private extern (C) @from!"nvml-status" @called!"read" void reprieve_read(uint device, ubyte* answer);
    private extern (C) @from!"gpu-cleanup" @called!"perform" void reprieve_perform(
            uint kind, ulong first, ulong second, ubyte* answer);
}

/// How many devices the experiment holds.
uint deviceCount()
{
    version (WebAssembly)
        return reprieve_device_count();
    else
        return 0;
}

/// Reads one device, by its position among the leased devices.
Reading readDevice(uint device)
{
    version (WebAssembly)
    {
        align(8) ubyte[sizeOf!Reading] answer;
        reprieve_read(device, answer.ptr);
        return lift!Reading(answer.ptr);
    }
    else
        return Reading(StatusError(Unavailable("there is no host")));
}

/// Runs an action now, for plans that depend on what it brings. Only a plan may.
SumType!(Report, Refused) perform(const Action action)
{
    alias Performed = typeof(return);
    version (WebAssembly)
    {
        align(8) ubyte[sizeOf!Action] asked;
        align(8) ubyte[sizeOf!Performed] answer;
        lower(asked.ptr, action);
        // A text goes as two numbers of 32 bits, all else as numbers of 64.
        const short_ = action.match!((const RunHook _) => true, (_) => false);
        const first = short_ ? *cast(uint*)(asked.ptr + 8) : *cast(ulong*)(asked.ptr + 8);
        const second = short_ ? *cast(uint*)(asked.ptr + 12) : *cast(ulong*)(asked.ptr + 16);
        reprieve_perform(asked[0], first, second, answer.ptr);
        return lift!Performed(answer.ptr);
    }
    else
        return Performed(Refused("there is no host"));
}
