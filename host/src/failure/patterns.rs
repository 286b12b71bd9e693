//! The table: what programs print when they fail, and which class it means.
//!
//! Only words live here. Which line of an output decides is the classifier's
//! business, and so are the figures in a line (Xids, sizes).
//!
//! On one line the first row that matches decides, so the groups' order is
//! part of their meaning: what is specific stands before what is general. The
//! note of each row names who prints it. Expressions see bytes, so `\b`, `\d`
//! and `(?i)` mean ASCII.

use crate::attempt::FailureClass;

/// How much a line tells of the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// It names what went wrong.
    Cause,
    /// It names what often follows from something else, or is said too often
    /// without harm to outweigh a cause.
    Effect,
    /// It only says that something ended.
    Symptom,
}
use FailureClass::{
    Access, Cancelled, Communication, Configuration, Crash, DeviceHardware, DeviceMemory, DeviceOccupied,
    DeviceProgram, DriverTransient, Hang, HostMemory, Network, RateLimited, Storage,
};
use Strength::{Cause, Effect, Symptom};

/// Rows that share a class and a strength.
pub(super) struct Group {
    pub class: FailureClass,
    pub strength: Strength,
    /// The expression, and who prints what it matches.
    pub rows: &'static [(&'static str, &'static str)],
}

const fn group(
    class: FailureClass,
    strength: Strength,
    rows: &'static [(&'static str, &'static str)],
) -> Group {
    Group { class, strength, rows }
}

/// An HTTP status where it is one: not a port, a batch or a line number.
/// Wordings of requests, urllib, httpx, aiohttp, curl, wget, git, reqwest, Go.
macro_rules! http_status {
    ($codes:literal) => {
        concat!(
            r"\b",
            $codes,
            r" (?:Client|Server) Error\b",
            r#"|(?i:\bHTTP(?:/\d(?:\.\d)?)?[ _-]?(?:error|status|response)?[ _-]?(?:code)?["']?[ :=(\[]*"#,
            $codes,
            r"\b)",
            r"|(?i:\bstatus(?:[ _-]?code)?(?: (?:server|client) error)?\W{1,3}",
            $codes,
            r"\b)",
            r"|(?i:\b(?:returned error|error code|error|http error)[:=] ?",
            $codes,
            r"\b)",
            r"|\bERROR ",
            $codes,
            r": ",
            r"|(?:ResponseError|HTTPError|HttpError|StatusError)\W{1,3}",
            $codes,
            r"\b",
        )
    };
}

/// All rows. Sources of the wordings: the programs named in each row's note.
pub(super) static TABLE: &[Group] = &[
    group(
        DeviceHardware,
        Cause,
        &[
            (r"(?i)fallen off the bus", "NVIDIA kernel driver, Xid 79"),
            (r"GPU is lost|GPU_IS_LOST|NVMLError_GpuIsLost|NvmlError::GpuLost", "nvidia-smi, NVML"),
            (r"Unable to determine the device handle for GPU", "nvidia-smi"),
            (
                r"(?i)uncorrectable (?:ECC|NVLink) error (?:was )?(?:encountered|detected)",
                "CUDA errors 214, 220",
            ),
            (
                r"(?i)ECC[ _]?UNCORRECTABLE|NVLINK[ _]?UNCORRECTABLE|double[- ]bit ECC error",
                "CUDA error names, kernel",
            ),
            (r"(?i)peer GPU memory over nvlink or a hardware error", "CUDA error 721"),
            (
                r"NVML_ERROR_RESET_REQUIRED|NVMLError_ResetRequired|GPU requires (?:a )?reset",
                "NVML, nvidia-smi",
            ),
            (
                r"(?i)recovery action\b.*(?::| to |=|is)\s*\W*(?:GPU |node |0x[1-9a-f] \()*\(?(?:reset|reboot|drain)",
                "nvidia-smi -q, field 230",
            ),
            (
                r"RmInitAdapter failed|NVML_ERROR_IRQ_ISSUE|NVML_ERROR_INSUFFICIENT_POWER|(?i:infoROM is corrupted)",
                "kernel driver, NVML",
            ),
            (r"SXid[^,]*, \d+, Fatal|(?i:row remapp(?:er|ing) failure)", "NVSwitch driver, DCGM"),
            (
                r"(?i)timeout (?:after \d+s of )?waiting for RPC (?:response )?from G(?:SP|PU)",
                "kernel driver, Xid 119",
            ),
            (
                r"(?i)GPU has (?:failed|an unrecoverable)|hipErrorECCNotCorrectable|uncorrectable error.*amdgpu",
                "DCGM, ROCm",
            ),
        ],
    ),
    group(
        Storage,
        Cause,
        &[
            (r"(?i)no space left on device|\bENOSPC\b|\[Errno 28\]|os error 28\b|StorageFull", "errno 28"),
            (r"(?i)disk quota exceeded|\bEDQUOT\b|\[Errno 122\]|os error 122\b", "errno 122"),
            (r"(?i)read-only file system|\bEROFS\b|\[Errno 30\]|os error 30\b", "errno 30"),
            (
                r"(?i)\binput/output error\b|\[Errno 5\]|os error 5\b|stale (?:NFS )?file handle|\[Errno 116\]",
                "errno 5, 116",
            ),
            (r"(?i)transport endpoint is (?:not connected|shutdown)|\bEIO\b", "FUSE file systems, errno 107"),
            (r"PytorchStreamWriter failed|basic_ios::clear: iostream error", "torch.save on a full disk"),
            (
                r"(?i)out of shared memory|insufficient shared memory|bus error.*shared memory|shared memory.*bus error",
                "PyTorch DataLoader",
            ),
            (
                r"(?i)(?:creating|unable to (?:open|write|mmap|resize|create)|failed to (?:increase|create|extend)).*shared memory",
                "NCCL, PyTorch, Triton server",
            ),
            (
                r"(?i)not enough (?:free )?(?:disk )?space (?:on|to|left|avail)|(?:disk|volume) is full|you don't have enough free space",
                "Hugging Face, apt, SQLite",
            ),
            (
                r"(?i)file too large|\[Errno 27\]|File size limit exceeded|curl: \(23\)",
                "errno 27, SIGXFSZ, curl",
            ),
        ],
    ),
    group(
        RateLimited,
        Cause,
        &[
            (http_status!("429"), "HTTP 429"),
            (r"(?i)too many requests|toomanyrequests", "HTTP 429, Docker registries"),
            (
                r"(?i)rate[- ]?limit(?:ed|s)? (?:exceeded|reached|hit|error)|hit (?:the|your) (?:\w+ )?rate limit|being rate[- ]limited|RateLimit(?:Error|Exceeded)",
                "OpenAI, GitHub, Hugging Face",
            ),
            (
                r"(?i)exceeded (?:your|the|a) (?:\w+ ){0,3}(?:quota|rate limit)|pull rate limit|quota exceeded for|insufficient_quota|secondary rate limit",
                "Google Cloud, OpenAI, Docker Hub, GitHub",
            ),
            (
                r"ThrottlingException|Throttling(?:Error)?\b.*Rate exceeded|RequestLimitExceeded|\bSlowDown\b|(?i:reduce your request rate)",
                "AWS",
            ),
            (
                r"429 RESOURCE_EXHAUSTED|RESOURCE_EXHAUSTED.*[Qq]uota|ResourceExhausted: 429|Resource has been exhausted",
                "Google APIs",
            ),
            (
                r"(?i)overloaded_error|\bretry[- ]after\b\W{1,3}\d+|(?:please )?retry after \d+ ?s",
                "Anthropic, HTTP Retry-After",
            ),
        ],
    ),
    group(
        Access,
        Cause,
        &[
            (http_status!("(?:401|403|407|451)"), "HTTP 401, 403, 407, 451"),
            (
                r"GatedRepoError|(?i:gated (?:repo|dataset|model)|access to (?:model|dataset) \S+ is restricted|not in the authorized list)",
                "Hugging Face",
            ),
            (
                r"(?i)accept the (?:license|conditions|terms)|agree to (?:share|the terms)|you must (?:have access|be authenticated|log ?in)",
                "Hugging Face, NGC, Kaggle",
            ),
            (
                r"(?i)invalid (?:username or password|user token|api[ _]key|credentials|authentication|access token)|incorrect api key|invalid_api_key|(?:token|credentials?) (?:is|has|have|are) (?:invalid|expired)",
                "Hugging Face, OpenAI, wandb",
            ),
            (
                r"(?i)api[_ ]key not configured|no api[_ ]key|api_key client option must be set|login required|not logged in",
                "wandb, OpenAI",
            ),
            (
                r"(?i)authentication (?:failed|required|error)|\bAuthenticationError\b|could not read (?:username|password)|terminal prompts disabled|host key verification failed",
                "git, ssh, registries",
            ),
            (
                r"(?i)pull access denied|requested access to the resource is denied|\bunauthorized\b(?::|$| for)|(?:access|request) (?:is |was )?(?:denied|forbidden)|\bAccessDenied\b|AccessDeniedException",
                "Docker, AWS",
            ),
            (
                r"NoCredentialsError|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|DefaultCredentialsError|(?i:unable to locate credentials|could not automatically determine credentials)",
                "AWS, Google Cloud",
            ),
            (r"\bPermissionDenied\b|PermissionDeniedError|PERMISSION_DENIED", "gRPC, OpenAI"),
            (
                r"(?i)permission denied|\bPermissionError\b|\bEACCES\b|\[Errno 13\]|operation not permitted|\[Errno 1\]|\bEPERM\b",
                "errno 1, 13",
            ),
            (
                r"(?i)insufficient permissions|NVMLError_NoPermission|NVML_ERROR_NO_PERMISSION|ERR_NVGPUCTRPERM",
                "NVML, Nsight, CUPTI",
            ),
            (
                r"(?i)licen[sc]e (?:\w+ ){0,2}(?:not found|expired|invalid|checkout failed|denied|required)|no valid licen[sc]e",
                "licensed programs",
            ),
        ],
    ),
    group(
        DeviceOccupied,
        Cause,
        &[
            (r"(?i)CUDA-capable devices?\S* (?:is/are|are|is) busy or unavailable", "CUDA error 46"),
            (
                r"(?i)cudaErrorDevicesUnavailable|CUDA_ERROR_DEVICE_UNAVAILABLE|DEVICE_ALREADY_IN_USE|DeviceAlreadyInUse",
                "CUDA error names",
            ),
            (r"(?i)free memory on device.*less than desired", "vLLM at start-up"),
            (
                r"(?i)error in memory profiling\. initial (?:used|free)",
                "vLLM: another process released memory meanwhile",
            ),
            (
                r"(?i)GPUs? may be occupied by other process|in use by another (?:process|client)|memory capacity is unbalanced",
                "SGLang, NVML",
            ),
            (r"(?i)maximum number of MPS clients|MPS_MAX_CLIENTS", "CUDA error 808"),
        ],
    ),
    group(
        DeviceMemory,
        Cause,
        &[
            (
                r"(?i)(?:CUDA|HIP|XPU|GPU|NPU|MPS backend|device)(?: \w+)? (?:ran )?out of memory",
                "PyTorch, and others after it",
            ),
            (r"torch\.(?:cuda\.|hip\.|xpu\.)?OutOfMemoryError|cupy\S*OutOfMemoryError", "PyTorch, CuPy"),
            (
                r"(?i)\b(?:cuda|hip|cu|cublas|nccl)\w*\b.*\bout[ _]of[ _]memory\b|\bout[ _]of[ _]memory\b.*\b(?:cuda|gpu|hbm|vram|device memory)",
                "CUDA error 2 in NCCL, TensorRT-LLM, ggml, ONNX Runtime, RMM",
            ),
            (
                r"CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|hipErrorOutOfMemory|OUT_OF_DEVICE_MEMORY|OutOfDeviceMemory|CL_MEM_OBJECT_ALLOCATION_FAILURE",
                "CUDA, HIP, Vulkan, OpenCL error names",
            ),
            (
                r"RESOURCE_EXHAUSTED: (?:.*[Oo]ut of memory|.*OOM|Failed to (?:allocate|load)|.*[Rr]an out of)|OOM when allocating tensor|(?i:out of memory while trying to allocate)",
                "JAX, TensorFlow",
            ),
            (
                r"(?:CUBLAS|CUDNN|CUSOLVER|CUSPARSE|HIPBLAS|ROCBLAS)_STATUS_(?:ALLOC_FAILED|NOT_INITIALIZED)|CUFFT_ALLOC_FAILED|CUBLAS_STATUS_NOT_INITIALIZED",
                "CUDA libraries; their handles are the first to find no room",
            ),
            (
                r"(?i)no available memory for the cache blocks|larger than the (?:available KV cache memory|maximum number of tokens that can be stored in KV cache)|KV cache is needed, which is larger",
                "vLLM",
            ),
            (
                r"(?i)not enough memory\. please try to increase --mem-fraction|(?:prefill|decode) out of memory|not enough memory.*mem-fraction",
                "SGLang",
            ),
            (
                r"(?i)cudaMalloc(?:\w*) (?:\w+ )?failed|failed to allocate (?:.*\b(?:CUDA\d*|ROCm\d*|Vulkan\d*|GPU|VRAM|device|kv cache|compute)\b|buffer for kv)|unable to allocate (?:CUDA|ROCm|Vulkan)\d* buffer|failed to allocate compute",
                "llama.cpp, XLA",
            ),
            (
                r"Error Code \d+: OutOfMemory|OutOfMemory \((?:Requested|no further)|(?i:requested amount of GPU memory)|(?i:insufficient GPU memory|not enough GPU (?:memory|RAM))",
                "TensorRT, bitsandbytes",
            ),
            (
                r"BFCArena::AllocateRawInternal|(?i:failed to allocate memory for requested buffer)",
                "ONNX Runtime",
            ),
            (
                r"rmm::out_of_memory|std::bad_alloc: out_of_memory|(?i:out of memory error on (?:GPU|NPU))|RMM failure.*pool size exceeded",
                "RAPIDS, PaddlePaddle",
            ),
        ],
    ),
    group(
        HostMemory,
        Cause,
        &[
            (
                r"\b_?(?:Array)?MemoryError\b|std::bad_alloc|java\.lang\.OutOfMemoryError",
                "Python, NumPy, C++, Java",
            ),
            (
                r"(?i)cannot allocate memory|\[Errno 12\]|\bENOMEM\b|os error 12\b|DefaultCPUAllocator|virtual memory exhausted",
                "errno 12, PyTorch",
            ),
            (
                r"memory allocation of \d+ bytes failed|fatal error: runtime: (?:out of memory|cannot allocate)|JavaScript heap out of memory|Killed signal terminated program",
                "Rust, Go, Node.js, gcc",
            ),
            (
                r"(?i)out of memory: kill|Killed process \d+ \(|invoked oom-killer|oom_reaper|memory cgroup out of memory|oom-kill:constraint",
                "Linux kernel",
            ),
            (
                r"(?i)\boom[-_]kill\b(?:\w* event| handler)|task \d+: out of memory|exceeded (?:job|step|\w+) memory limit|\bOOM Killed\b|\bOOMKilled\b|\bOUT_OF_ME",
                "Slurm, Kubernetes",
            ),
            (
                r"(?i)killed due to the node running low on memory|killed due to memory pressure|more system memory \(",
                "Ray, ollama",
            ),
            (r"(?i)worker \(pid\W.*killed by signal: killed", "PyTorch DataLoader"),
            (
                r"(?i)can't start new thread|fork: (?:retry: )?resource temporarily|pthread_create failed.*(?:EAGAIN|resource)",
                "Python, bash, OpenBLAS: no memory or PIDs left",
            ),
        ],
    ),
    group(
        DeviceProgram,
        Cause,
        &[
            (
                r"(?i)an illegal memory access was encountered|illegal address during kernel|memory access fault by GPU",
                "CUDA error 700, ROCm",
            ),
            (r"(?i)device-side assert|\.cuh?:\d+:.*(?:block: \[|Assertion )", "CUDA error 710, kernels"),
            (
                r"(?i)misaligned address|unspecified launch failure|an illegal instruction was encountered|invalid program counter|hardware stack error|the launch timed out and was terminated|operation not supported on global/shared address",
                "CUDA errors 702, 714 to 719",
            ),
            (
                r"(?:cudaError|hipError)(?:IllegalAddress|LaunchFailure|LaunchFailed|Assert|MisalignedAddress|IllegalInstruction|LaunchTimeout|InvalidPc|HardwareStackError)|CUDA_ERROR_(?:ILLEGAL_ADDRESS|LAUNCH_FAILED|ASSERT|MISALIGNED_ADDRESS|ILLEGAL_INSTRUCTION|LAUNCH_TIMEOUT|INVALID_PC)",
                "CUDA, HIP error names",
            ),
            (
                r"(?:CUDNN|CUBLAS|CUSOLVER|CUFFT|CUSPARSE)_(?:STATUS_)?(?:EXECUTION_FAILED|INTERNAL_ERROR|MAPPING_ERROR|EXEC_FAILED)|HSA_STATUS_ERROR_(?:EXCEPTION|ILLEGAL)",
                "CUDA libraries, ROCm",
            ),
        ],
    ),
    group(
        Configuration,
        Cause,
        &[
            (
                r"(?i)no CUDA GPUs are available|no CUDA-capable device|CUDA_ERROR_NO_DEVICE|cudaErrorNoDevice|found no NVIDIA driver|no devices were found|HIP error: no ROCm-capable|no (?:NVIDIA )?GPUs? (?:was |were )?(?:found|detected|available)",
                "CUDA error 100, PyTorch, nvidia-smi",
            ),
            (
                r"(?i)driver on your system is too old|driver version is insufficient|CUDA_ERROR_SYSTEM_DRIVER_MISMATCH|driver/library version mismatch|LibRmVersionMismatch|unsupported display driver|forward compatibility was attempted|PTX was compiled with an unsupported|unsupported toolchain",
                "CUDA errors 35, 222, 803, 804, NVML",
            ),
            (
                r"(?i)system not yet initialized|\berror 80[234]\b|CUDA_ERROR_SYSTEM_NOT_READY|cudaErrorSystemNotReady",
                "CUDA error 802: no Fabric Manager",
            ),
            (
                r"(?i)no kernel image is available|device kernel image is invalid|not compiled with CUDA|is not compatible with the current PyTorch|unsupported gpu architecture|compute capability .*(?:not supported|required|at least|lower|but)|no binary for GPU",
                "CUDA errors 200, 209, PyTorch, nvcc",
            ),
            (
                r"(?i)invalid device (?:ordinal|id|function)|CUDA error:? .*invalid (?:argument|configuration argument|resource handle)|too many resources requested|out of resource: shared memory|re-initialize CUDA in forked|torch\.cuda\.is_available\(\) is False|duplicate GPU detected",
                "CUDA errors 1, 9, 98, 101, 701, Triton, PyTorch, NCCL",
            ),
            (
                r#"(?i)(?:nvml|nvidia).*driver not loaded|couldn't communicate with the NVIDIA driver|unable to dynamically load the "\w+" shared library|libnvidia-ml\.so|NVMLError_(?:LibraryNotFound|DriverNotLoaded)|NVML shared library not found|failed to infer device type|could not select device driver|GPU access blocked by"#,
                "NVML, cudarc, vLLM, Docker",
            ),
            (
                r"ModuleNotFoundError|No module named|ImportError|(?i:undefined symbol:)|error while loading shared libraries|cannot open shared object file|GLIBC(?:XX)?_[\d.]+' not found|wrong ELF class|[Ee]xec format error|DLL load failed|undefined reference to",
                "Python, ld.so, ld",
            ),
            (
                r"(?i)command not found|executable file not found|can't open file|no rule to make target|syntax error (?:near|at)|unexpected end of file$|: unbound variable|CMake Error|is not recognized as an internal",
                "shells, Docker, Python, make",
            ),
            (
                r"(?i)error: (?:argument |unrecognized argument|unexpected argument|the following (?:required )?argument|ambiguous option|one of the arguments|invalid (?:value|choice|option)|a value is required|unknown (?:option|argument|flag)|no such (?:option|command)|missing (?:option|argument|parameter|command)|got unexpected extra)|\bunrecognized option|invalid option -|flag provided but not defined|unknown (?:shorthand )?flag|unknown argument:",
                "argparse, click, clap, getopt, Go flag",
            ),
            (
                r"(?i)ValidationError\b|validation errors? for|hydra\.errors|omegaconf\.|ConfigCompositionException|could not override|MissingMandatoryValue|error parsing override|missing mandatory value",
                "pydantic, Hydra, OmegaConf, jsonschema, Hugging Face",
            ),
            (
                r"yaml\.\w+\.\w+Error|TOMLDecodeError|TOML parse error|SyntaxError:|IndentationError:|TabError:|YAMLException|configparser\.\w+Error",
                "PyYAML, tomllib, Python",
            ),
            (http_status!("(?:400|404|405|410|413|422)"), "HTTP statuses that repeat"),
            (
                r"(?i)is not a valid model identifier|is not a local folder|does not appear to have a file named|RevisionNotFoundError|\b(?:Remote)?EntryNotFoundError|RepositoryNotFoundError|DatasetNotFoundError|DataFilesNotFoundError|repo id must be",
                "Hugging Face",
            ),
            (
                r"(?i)does not recognize this architecture|unrecognized (?:model|configuration class)|unknown model architecture|trust_remote_code=True|model architectures .* (?:not supported|failed)|offline mode is enabled|OfflineModeIsEnabled|invalid magic|BuilderConfig .* not found|unknown split|unknown quantization|quantization method .* is not",
                "Transformers, vLLM, llama.cpp, datasets",
            ),
            (
                r"(?i)in loading state_dict|size mismatch for|shapes cannot be multiplied|is invalid for input of size|must match the size of tensor|expected all tensors to be on the same device|expected scalar type|must be divisible by|is not divisible by|max_model_len|max_position_embeddings|exceeds? (?:the )?(?:model's )?(?:maximum )?(?:context|model) length",
                "PyTorch, vLLM",
            ),
            (
                r"(?i)invalid reference format|manifest (?:for \S+ not found|unknown)|no such (?:image|container)|ResolutionImpossible|conflicting dependencies|unable to locate package|CERTIFICATE_VERIFY_FAILED|certificate (?:verify failed|has expired|signed by unknown)|self[- ]signed certificate|curl: \((?:1|2|3|4|60)\)",
                "Docker, pip, apt, TLS",
            ),
            (
                r"(?i)repository .*not found|remote branch \S+ not found|pathspec .* did not match|couldn't find remote ref|not a git repository|unsupported protocol|No (?:scheme|connection adapters) (?:supplied|were found)|InvalidURL|MissingSchema|unknown url type",
                "git, requests, urllib",
            ),
            (
                r"(?i)too many open files|\[Errno 24\]|os error 24\b|argument list too long|file name too long",
                "errno 7, 24, 36",
            ),
        ],
    ),
    group(
        DriverTransient,
        Cause,
        &[
            (
                r"(?i)(?:failed to initialize NVML|NVML|nvml\w*)\b.*unknown error|NVMLError_Unknown|NVML_ERROR_UNKNOWN",
                "NVML error 999: a container that lost its devices",
            ),
            (
                r"NVML_ERROR_(?:TIMEOUT|IN_USE|UNINITIALIZED|NOT_READY|INSUFFICIENT_RESOURCES|MEMORY)|NVMLError_(?:Timeout|InUse|Uninitialized|NotReady|Memory|InsufficientResources)",
                "NVML errors that pass",
            ),
            (
                r"(?i)(?:CUDA|HIP)\b.*(?:\bunknown error\b|failure 999)|cudaErrorUnknown|CUDA_ERROR_UNKNOWN|hipErrorUnknown",
                "CUDA error 999",
            ),
            (
                r"(?i)MPS client failed to connect|MPS server is not ready|MPS client (?:has been )?terminated|MPS_(?:CONNECTION_FAILED|SERVER_NOT_READY|RPC_FAILURE|CLIENT_TERMINATED)",
                "CUDA errors 805 to 807, 809",
            ),
            (
                r"cudaErrorSystemNotAvailable|CUDA driver error: (?:driver shutting down|invalid device context)",
                "CUDA driver",
            ),
        ],
    ),
    group(
        Cancelled,
        Cause,
        &[
            (
                r"(?i)DUE TO (?:TASK |JOB )?(?:PREEMPTION|NODE FAILURE)|CANCELLED AT \S+ \*\*\*|CANCELLED AT \S+ by|(?:job|task|step) (?:was |has been )?(?:cancelled|preempted)",
                "Slurm and other schedulers",
            ),
            (r"(?i)(?:spot instance|node) (?:is being |was )?(?:preempted|interrupted|reclaimed)", "clouds"),
        ],
    ),
    group(
        Hang,
        Cause,
        &[
            (
                r"(?i)DUE TO TIME LIMIT|exceeded (?:the )?(?:walltime|wall[- ]clock)|walltime .*exceeded",
                "Slurm, PBS, LSF",
            ),
            (r"subprocess\.TimeoutExpired|\btimed out after \d+(?:\.\d+)? seconds$", "Python subprocess"),
        ],
    ),
    group(
        Communication,
        Effect,
        &[
            (
                r"(?i)watchdog caught collective|collective operation timeout|NCCL (?:operations?|communicator|watchdog)\b.*(?:fail|abort|time|exception|error)|(?:due|prior) to NCCL",
                "PyTorch ProcessGroupNCCL",
            ),
            (
                r"ncclSystemError|ncclRemoteError|ncclInternalError|ncclUnhandledCudaError|ncclInProgress|ncclInvalidUsage|(?i:\b[NR]CCL error)|ncclGetUniqueId",
                "NCCL",
            ),
            (
                r"(?i)got (?:async )?(?:event|completion) (?:from|with).*(?:error|status)|NET/(?:IB|Socket|OFI)\b.*(?:error|fail|timed? ?out|async|unable)|NCCL WARN .*(?:connect|socket|recv|send|accept|bootstrap|proxy|time ?out|peer|call to ibv)",
                "NCCL transports",
            ),
            (
                r"gloo/transport|[Gg]loo (?:connectFullMesh|allreduce|.*fail)|(?i:timed out waiting \d+ ?ms for (?:recv|send))",
                "Gloo",
            ),
            (
                r"Dist(?:Network|Store|Backend)Error|(?i:(?:client|server) socket has (?:timed out|failed)|socket timeout|wait timeout after \d+ ?ms|timed out after \d+ ?\w* waiting for (?:clients|workers|key))",
                "torch.distributed",
            ),
            (
                r"TCPStore|\bc10d\b.*(?:fail|error|timed? ?out)|Rendezvous(?:Timeout|Connection|Closed|State)Error|(?i:monitoredBarrier|rank \d+ failed to pass)|sendBytes failed|recvBytes failed",
                "torch.distributed",
            ),
            (
                r"(?i)MPI_ERR_|fatal error in (?:internal_)?P?MPI_|lost (?:communication|connection) with a remote daemon|ORTE (?:daemon|was unable|has lost)|PRTE .*(?:lost|unable)|btl_tcp|ORTE_ERROR|MPI process.*unable to (?:reach|connect)",
                "Open MPI, MPICH",
            ),
            (
                r"(?i)\bUCX +ERROR|\buc[tp]_\w+.*(?:fail|error|unreachable|timed? ?out)|transport retry co\w* exceeded|IBV_WC_|ibv_\w+.*fail|endpoint (?:timeout|is unreachable)|RDMA_CM_EVENT|rdma_\w+.*fail|nvshmem.*(?:fail|error|abort|timed? ?out)|nccl-ofi|NVSwitch.*(?:fail|error)",
                "UCX, InfiniBand, NVSHMEM, OFI",
            ),
            (
                r"(?i)barrier timed out|coordination[ _]service.*(?:error|unavail|heartbeat|fail|lost|unhealthy)|missed heartbeats?|HorovodInternalError|Horovod has been shut down|NodeDiedError",
                "JAX, Horovod, Ray",
            ),
            (
                r"RPC call to \w+ timed out|(?i:fabric manager.*(?:fail|error|not running))",
                "vLLM workers, NVSwitch systems",
            ),
        ],
    ),
    group(
        Network,
        Cause,
        &[
            (
                r"(?i)max retries exceeded with url|read timed out|connect(?:ion)? (?:to \S+ )?timed out|Retry\(total=0",
                "urllib3, pip",
            ),
            (
                r"\b(?:Connect|Read|Write|Pool|SSLError|Proxy)?(?:Connect|Read|Write|Pool)Timeout(?:Error)?\b|NewConnectionError|NameResolutionError|ProtocolError\b|IncompleteRead|ChunkedEncodingError|RemoteDisconnected|ProxyError|MaxRetryError|ConnectTimeout",
                "urllib3, requests, httpx, botocore",
            ),
            (
                r"requests\.exceptions\.(?:ConnectionError|Timeout|SSLError)|(?:ConnectionError|ConnectError|ReadError): |URLError\b|urlopen error",
                "requests, httpx, urllib",
            ),
            (
                r"Client(?:Connector|OS|Payload|Connection|ConnectorDNS|ConnectorSSL|ConnectionReset)Error|Server(?:Disconnected|Timeout)Error|ConnectionTimeoutError|SocketTimeoutError|RemoteProtocolError|(?:httpx|httpcore)\.\w*(?:Timeout|Error)\b|(?i:server disconnected|peer closed connection)",
                "aiohttp, httpx",
            ),
            (
                r"(?i)temporary failure in name resolution|temporary failure resolving|name or service not known|nodename nor servname|(?:could not|couldn't|unable to|cannot|failed to) resolve (?:host|proxy|'|the host|\w+\.)|gaierror|getaddrinfo (?:failed|ENOTFOUND|EAI_AGAIN)|EAI_AGAIN|no such host|server misbehaving|failed to lookup address|dns error|no address associated with",
                "getaddrinfo through libc, Go, Rust, Node.js, curl",
            ),
            (
                r"(?i)connection (?:was )?(?:reset|refused|aborted|closed|terminated|broken|lost|timed out|failed)\b|Connection(?:Reset|Refused|Aborted)Error|\bE(?:CONNRESET|CONNREFUSED|CONNABORTED|TIMEDOUT|HOSTUNREACH|NETUNREACH|HOSTDOWN)\b",
                "sockets",
            ),
            (
                r"(?i)no route to host|network is (?:unreachable|down)|operation timed out|host is (?:down|unreachable)|failed to connect to|address already in use|\bEADDRINUSE\b",
                "sockets; an address in use is a leftover that goes",
            ),
            (
                r"(?i)\[Errno (?:98|99|10[0134]|11[0123])\]|os error (?:98|99|10[0134]|11[0123])\b|\[Errno -[23]\]",
                "errno numbers of sockets",
            ),
            (
                r"(?i)TLS handshake (?:timeout|error|failed)|SSLEOFError|SSLError\b|SSL_ERROR_SYSCALL|UNEXPECTED_EOF_WHILE_READING|EOF occurred in violation|BAD_RECORD_MAC|handshake (?:operation )?(?:timed out|failure)|GnuTLS (?:recv|handshake)|OpenSSL SSL_(?:read|connect)|gnutls_handshake",
                "TLS libraries",
            ),
            (
                r"(?i)\bi/o timeout\b|context deadline exceeded|client\.timeout exceeded|request canceled while waiting|net/http: |error sending request for url|tcp connect error|error trying to connect|connection error: |hyper::Error|error decoding response body|broken pipe \(os error",
                "Go, Rust",
            ),
            (
                r"curl: \((?:5|6|7|16|18|28|35|52|55|56|92)\)|(?i:wget: unable to resolve|rsync error: .*code (?:10|12|30|35)\)|rsync: connection|kex_exchange_identification|early EOF|fetch-pack|RPC failed|remote end hung up|unexpected disconnect while reading)",
                "curl, wget, rsync, ssh, git",
            ),
            (
                r"(?i)failed to fetch http|hash sum mismatch|some index files failed to download|CondaHTTPError|CONNECTION FAILED for url|error pulling image|failed to (?:do request|copy): (?:Get|Head|http)|toolchain download failed",
                "apt, conda, Docker",
            ),
            (http_status!("(?:408|425|50[0234]|52[0-9]|530)"), "HTTP statuses that pass"),
            (
                r"(?i)internal server error|bad gateway|service (?:temporarily |is )?unavailable|gateway time-?out|\brequest timeout\b|temporarily unavailable, try",
                "HTTP reasons",
            ),
            (
                r"EndpointConnectionError|ConnectionClosedError|IncompleteReadError|ResponseStreamingError|\bServiceUnavailable\b|\bDeadlineExceeded\b|\bGatewayTimeout\b|google\.api_core\.exceptions\.(?:InternalServerError|RetryError)|TransportError\b|RequestTimeTooSkewed|(?i:error \(RequestTimeout\))",
                "AWS, Google Cloud",
            ),
            (
                r"StatusCode\.(?:UNAVAILABLE|DEADLINE_EXCEEDED)|\b(?:UNAVAILABLE|DEADLINE_EXCEEDED): |code = (?:Unavailable|DeadlineExceeded)|failed to connect to all addresses|\bAPI(?:Connection|Timeout)Error\b|InternalServerError|ServiceUnavailableError",
                "gRPC, OpenAI, LiteLLM",
            ),
            (
                r"(?i)LocalEntryNotFoundError|couldn't (?:connect to|reach)|error happened while trying to locate the file|CAS service error|wandb.*(?:CommError|network error)|error communicating with wandb",
                "Hugging Face, wandb",
            ),
            (
                r"(?i)consistency check failed|deserializing header|PytorchStreamReader failed|checksum (?:mismatch|error|failed|did not match)|hash mismatch|NonMatching(?:Checksum|SplitsSizes)Error|do not match the hashes|BadZipFile|unexpected end of data|invalid stored block|Compressed file ended before",
                "a download that broke off: Hugging Face, safetensors, PyTorch, datasets, pip",
            ),
        ],
    ),
    group(
        Configuration,
        Effect,
        &[
            (
                r"\b(?:TypeError|KeyError|AttributeError|NameError|UnboundLocalError|IndexError|ValueError|AssertionError|NotImplementedError|ZeroDivisionError|RecursionError|FileNotFoundError|NotADirectoryError|IsADirectoryError|FileExistsError|UnicodeDecodeError)\b(?::|$|\()",
                "Python's own exceptions",
            ),
            (
                r"Can't load (?:the |an? )?(?:tokenizer|config|model|image processor|feature extractor|processor)|(?i:no matching distribution found|could not find a version that satisfies|failed building wheel|subprocess-exited-with-error)",
                "Transformers, pip: they also say it when the network failed",
            ),
        ],
    ),
    group(
        Network,
        Effect,
        &[(
            r"BrokenPipeError|(?i:\bbroken pipe\b)|\bEPIPE\b|\bTimeoutError\b|: unexpected EOF$",
            "any connection, and pipes",
        )],
    ),
    group(
        Hang,
        Effect,
        &[(
            r"(?i)(?:server|engine|process\w*) (?:\w+ )*(?:failed to|did not|didn't) (?:\w+ )?(?:start|become ready|respond|come up)\b.*(?:within|in time|after)|timed out waiting for .*(?:start|ready|server)",
            "servers under test",
        )],
    ),
    group(
        Cancelled,
        Effect,
        &[(
            r"\bKeyboardInterrupt\b|SignalException: .*signal: (?:1|2|15)\b|(?i:received (?:signal )?SIG(?:TERM|INT|HUP)|received signal (?:1|2|15)\b)",
            "Python, torchrun",
        )],
    ),
    group(
        HostMemory,
        Symptom,
        &[(
            r"exit ?code\W{1,4}-9\b|return code\W{1,4}-9\b|Signals\.SIGKILL|(?i:killed by signal 9|signal:? 9\b|signal 9 \(|\bSIGKILL\b)|exit (?:code|status) 137\b|exit status:? 137\b",
            "launchers that report a killed child",
        )],
    ),
    group(
        Crash,
        Symptom,
        &[
            (
                r"(?i)segmentation fault|segfault|\bSIG(?:SEGV|ABRT|BUS|ILL|FPE)\b|core dumped|exited on signal (?:4|6|7|8|11)\b|exit ?code\W{1,4}-(?:4|6|7|8|11)\b|return code\W{1,4}-(?:4|6|7|8|11)\b",
                "shells, launchers, Python",
            ),
            (
                r"Fatal Python error|double free or corruption|free\(\): invalid|malloc\(\): |corrupted (?:size|double)|stack smashing|AddressSanitizer|GGML_ASSERT|\bpanicked at\b|^panic: |exit(?:ed)? unexpectedly|terminated abruptly|ActorDiedError|WorkerCrashedError",
                "Python, glibc, Rust, Go, Ray",
            ),
        ],
    ),
    group(
        Configuration,
        Symptom,
        &[
            (r"(?i)^usage:? +\S.*[\[<-]", "programs that were called wrongly"),
            (
                r"(?i)no such file or directory|\bENOENT\b|\[Errno 2\]|os error 2\b|not a directory|is a directory",
                "errno 2, 20, 21: often said without harm",
            ),
        ],
    ),
];
