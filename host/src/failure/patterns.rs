//! The table: what programs print when they fail, and which class it means.
//!
//! Only words live here. Which line of an output decides is the classifier's
//! business, and so are the figures in a line (Xids, sizes).
//!
//! On one line the first row that matches decides, so the groups' order is
//! part of their meaning: what is specific stands before what is general. Each
//! row names its source, the programs that print it. Expressions see bytes, so
//! `\b`, `\d` and `(?i)` mean ASCII.

use self::FailureClass::{
    Access, Cancelled, Communication, Configuration, Crash, DeviceHardware, DeviceMemory, DeviceOccupied,
    DeviceProgram, DriverTransient, Hang, HostMemory, Network, RateLimited, Storage,
};
use self::Strength::{Cause, Effect, Symptom};
use crate::attempt::FailureClass;

/// How much a line tells of the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// It names what went wrong.
    Cause,
    /// It names what often follows from something else.
    Effect,
    /// It says no more than that something ended, or what programs often say
    /// without harm.
    Symptom,
}

/// Rows that share a class and a strength.
pub(super) struct Group {
    pub class: FailureClass,
    pub strength: Strength,
    pub rows: &'static [Row],
}

/// Who prints it, and the expressions for what it prints.
type Row = (&'static str, &'static [&'static str]);

const fn group(class: FailureClass, strength: Strength, rows: &'static [Row]) -> Group {
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
            r#"|(?i:\bHTTP(?:/\d(?:\.\d)?)?[ _-]?(?:error|status|response)?[ _-]?(?:code)?[ :=(\[]*"#,
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
            r"|(?:ResponseError|HTTPError|HttpError|StatusError|ApiException)\W{1,3}",
            $codes,
            r"\b",
            r#"|"code": ?"#,
            $codes,
            r"\b",
        )
    };
}

/// All rows, laid out as a table.
#[rustfmt::skip]
pub(super) static TABLE: &[Group] = &[
    group(DeviceHardware, Cause, &[
        ("NVIDIA kernel driver, Xid 79", &[r"(?i)fallen off the bus"]),
        ("nvidia-smi, NVML", &[r"GPU is lost|GPU_IS_LOST|NVMLError_GpuIsLost|NvmlError::GpuLost"]),
        ("nvidia-smi", &[r"(?i)unable to determine the device handle for GPU"]),
        ("CUDA errors 214, 220", &[
            r"(?i)uncorrectable (?:ECC|NVLink) error (?:was )?(?:encountered|detected)",
        ]),
        ("CUDA error names, kernel", &[
            r"(?i)ECC[ _]?UNCORRECTABLE|NVLINK[ _]?UNCORRECTABLE|double[- ]bit ECC error",
        ]),
        ("CUDA error 721", &[r"(?i)peer GPU memory over nvlink or a hardware error"]),
        ("NVML, nvidia-smi", &[
            r"NVML_ERROR_RESET_REQUIRED|NVMLError_ResetRequired|GPU requires (?:a )?reset",
        ]),
        ("nvidia-smi -q, field 230", &[
            r"(?i)recovery action\b.*(?:[:=]| to | is )\s*\W*(?:GPU |node )?(?:reset|reboot|drain)",
        ]),
        ("kernel driver, NVML", &[
            r"RmInitAdapter failed|NVML_ERROR_IRQ_ISSUE|NVML_ERROR_INSUFFICIENT_POWER",
            r"(?i)infoROM is corrupted",
        ]),
        ("NVSwitch driver, DCGM", &[r"SXid[^,]*, \d+, Fatal", r"(?i)row remapp(?:er|ing) failure"]),
        ("kernel driver, Xid 119", &[
            r"(?i)timeout (?:after \d+s of )?waiting for RPC (?:response )?from G(?:SP|PU)",
        ]),
        ("DCGM, ROCm", &[
            r"(?i)GPU has (?:failed|an unrecoverable)|hipErrorECCNotCorrectable",
            r"(?i)uncorrectable error.*amdgpu",
        ]),
    ]),
    group(Storage, Cause, &[
        ("errno 28", &[r"(?i)no space left on device|\bENOSPC\b|\[Errno 28\]|os error 28\b|StorageFull"]),
        ("errno 122", &[r"(?i)disk quota exceeded|\bEDQUOT\b|\[Errno 122\]|os error 122\b"]),
        ("errno 30", &[r"(?i)read-only file system|\bEROFS\b|\[Errno 30\]|os error 30\b"]),
        ("errno 5, 116", &[
            r"(?i)\binput/output error\b|\[Errno 5\]|os error 5\b|stale (?:NFS )?file handle",
            r"(?i)\[Errno 116\]",
        ]),
        ("FUSE file systems, errno 107", &[r"(?i)transport endpoint is (?:not connected|shutdown)|\bEIO\b"]),
        ("torch.save on a full disk", &[r"PytorchStreamWriter failed|basic_ios::clear: iostream error"]),
        ("PyTorch DataLoader", &[
            r"(?i)out of shared memory|insufficient shared memory|bus error.*shared memory",
            r"(?i)shared memory.*bus error",
        ]),
        ("NCCL, PyTorch, Triton server", &[
            r"(?i)(?:creating|unable to (?:open|write|mmap|resize|create)).*shared memory",
            r"(?i)failed to (?:increase|create|extend).*shared memory",
        ]),
        ("Hugging Face, apt, SQLite", &[
            r"(?i)not enough (?:free )?(?:disk )?space (?:on|to|left|avail)|(?:disk|volume) is full",
            r"(?i)you don't have enough free space",
        ]),
        ("errno 27, SIGXFSZ, curl", &[
            r"(?i)file too large|\[Errno 27\]|File size limit exceeded|curl: \(23\)",
        ]),
    ]),
    group(RateLimited, Cause, &[
        ("HTTP 429", &[http_status!("429")]),
        ("HTTP 429, Docker registries", &[r"(?i)too many requests|toomanyrequests"]),
        ("OpenAI, GitHub, Hugging Face", &[
            r"(?i)rate[- ]?limit(?:ed|s)? (?:exceeded|reached|hit|error)",
            r"(?i)hit (?:the|your) (?:\w+ )?rate limit|being rate[- ]limited",
            r"(?i)RateLimit(?:Error|Exceeded)",
        ]),
        ("Google Cloud, OpenAI, Docker Hub, GitHub", &[
            r"(?i)exceeded (?:your|the|a) (?:\w+ ){0,3}(?:quota|rate limit)|pull rate limit",
            r"(?i)quota exceeded for|insufficient_quota|secondary rate limit",
        ]),
        ("AWS", &[
            r"ThrottlingException|Throttling(?:Error)?\b.*Rate exceeded|RequestLimitExceeded",
            r"\bSlowDown\b",
            r"(?i)reduce your request rate",
        ]),
        ("Google APIs", &[
            r"429 RESOURCE_EXHAUSTED|RESOURCE_EXHAUSTED.*[Qq]uota|ResourceExhausted: 429",
            r"Resource has been exhausted",
        ]),
        ("Anthropic, HTTP Retry-After", &[
            r"(?i)overloaded_error|\bretry[- ]after\b\W{1,3}\d+|(?:please )?retry after \d+ ?s",
        ]),
    ]),
    group(Access, Cause, &[
        ("HTTP 401, 403, 407, 451", &[http_status!("(?:401|403|407|451)")]),
        ("Hugging Face", &[
            r"GatedRepoError",
            r"(?i)gated (?:repo|dataset|model)|access to (?:model|dataset) \S+ is restricted",
            r"(?i)not in the authorized list",
        ]),
        ("Hugging Face, NGC, Kaggle", &[
            r"(?i)accept the (?:license|conditions|terms)|agree to (?:share|the terms)",
            r"(?i)you must (?:have access|be authenticated|log ?in)",
        ]),
        ("Hugging Face, OpenAI, wandb", &[
            r"(?i)invalid (?:username or password|user token|api[ _]key)",
            r"(?i)invalid (?:credentials|authentication|access token)",
            r"(?i)incorrect api key|invalid_api_key",
            r"(?i)(?:token|credentials?) (?:is|has|have|are) (?:invalid|expired)",
        ]),
        ("wandb, OpenAI", &[
            r"(?i)api[_ ]key not configured|no api[_ ]key|api_key client option must be set",
            r"(?i)login required|not logged in",
        ]),
        ("git, ssh, registries", &[
            r"(?i)authentication (?:failed|required|error)|\bAuthenticationError\b",
            r"(?i)could not read (?:username|password)|terminal prompts disabled",
            r"(?i)host key verification failed",
        ]),
        ("Docker, AWS", &[
            r"(?i)pull access denied|requested access to the resource is denied",
            r"(?i)\bunauthorized\b(?::|$| for)|(?:access|request) (?:is |was )?(?:denied|forbidden)",
            r"(?i)\bAccessDenied\b|AccessDeniedException",
        ]),
        ("AWS, Google Cloud", &[
            r"NoCredentialsError|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken",
            r"DefaultCredentialsError",
            r"(?i)unable to locate credentials|could not automatically determine credentials",
        ]),
        ("gRPC, OpenAI", &[r"\bPermissionDenied\b|PermissionDeniedError|PERMISSION_DENIED"]),
        ("Python, ssh", &[r"\bPermissionError\b|Permission denied \(publickey"]),
        ("NVML, Nsight, CUPTI", &[
            r"(?i)insufficient permissions|NVMLError_NoPermission|NVML_ERROR_NO_PERMISSION",
            r"(?i)ERR_NVGPUCTRPERM",
        ]),
        ("licensed programs", &[
            r"(?i)licen[sc]e (?:\w+ ){0,2}(?:not found|expired|invalid|checkout failed|denied|required)",
            r"(?i)no valid licen[sc]e",
        ]),
    ]),
    group(DeviceOccupied, Cause, &[
        ("CUDA error 46", &[r"(?i)CUDA-capable devices?\S* (?:is/are|are|is) busy or unavailable"]),
        ("CUDA error names", &[
            r"(?i)cudaErrorDevicesUnavailable|CUDA_ERROR_DEVICE_UNAVAILABLE|DEVICE_ALREADY_IN_USE",
            r"(?i)DeviceAlreadyInUse",
        ]),
        ("vLLM at start-up", &[r"(?i)free memory on device.*less than desired"]),
        ("vLLM: another process released memory meanwhile", &[
            r"(?i)error in memory profiling\. initial (?:used|free)",
        ]),
        ("SGLang, NVML", &[
            r"(?i)GPUs? may be occupied by other process|in use by another (?:process|client)",
            r"(?i)memory capacity is unbalanced",
        ]),
        ("CUDA error 808", &[r"(?i)maximum number of MPS clients|MPS_MAX_CLIENTS"]),
    ]),
    group(DeviceMemory, Cause, &[
        ("PyTorch, and others after it", &[
            r"(?i)(?:CUDA|HIP|XPU|GPU|NPU|MPS backend|device)(?: \w+)? (?:ran )?out of memory",
        ]),
        ("PyTorch, CuPy", &[
            r"^OutOfMemoryError\b|torch\.(?:cuda\.|hip\.|xpu\.)?OutOfMemoryError",
            r"cupy\S*OutOfMemoryError",
        ]),
        ("CUDA error 2 in NCCL, TensorRT-LLM, ggml, ONNX Runtime, RMM", &[
            r"(?i)\b(?:cuda|hip|cumem|cublas|cudnn|nccl)\w*\b.*\bout[ _]of[ _]memory\b",
            r"(?i)\bout[ _]of[ _]memory\b.*\b(?:cuda|gpu|hbm|vram|device memory)",
        ]),
        ("CUDA, HIP, Vulkan, OpenCL error names", &[
            r"CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|hipErrorOutOfMemory",
            r"OUT_OF_DEVICE_MEMORY|OutOfDeviceMemory|CL_MEM_OBJECT_ALLOCATION_FAILURE",
        ]),
        ("JAX, TensorFlow", &[
            r"RESOURCE_EXHAUSTED: (?:Attempting to allocate|Failed to (?:allocate|load))",
            r"RESOURCE_EXHAUSTED: .*(?:[Oo]ut of memory|OOM|[Rr]an out of)",
            r"OOM when allocating tensor",
            r"(?i)out of memory while trying to allocate",
        ]),
        ("CUDA libraries; their handles are the first to find no room", &[
            r"(?:CUBLAS|CUDNN|CUSOLVER|CUSPARSE|HIPBLAS|ROCBLAS)_STATUS_(?:ALLOC_FAILED|NOT_INITIALIZED)",
            r"CUFFT_ALLOC_FAILED|CUBLAS_STATUS_NOT_INITIALIZED",
        ]),
        ("vLLM", &[
            r"(?i)no available memory for the cache blocks",
            r"(?i)larger than the available KV cache memory",
            r"(?i)larger than the maximum number of tokens that can be stored in KV cache",
            r"(?i)KV cache is needed, which is larger",
        ]),
        ("SGLang", &[
            r"(?i)not enough memory\. please try to increase --mem-fraction",
            r"(?i)(?:prefill|decode) out of memory|not enough memory.*mem-fraction",
        ]),
        ("llama.cpp, XLA", &[
            r"(?i)cudaMalloc(?:\w*) (?:\w+ )?failed",
            r"(?i)failed to allocate .*\b(?:CUDA\d*|ROCm\d*|Vulkan\d*|GPU|VRAM|device|kv cache|compute)\b",
            r"(?i)failed to allocate buffer for kv",
            r"(?i)unable to allocate (?:CUDA|ROCm|Vulkan)\d* buffer|failed to allocate compute",
        ]),
        ("TensorRT, bitsandbytes", &[
            r"Error Code \d+: OutOfMemory|OutOfMemory \((?:Requested|no further)",
            r"(?i)requested amount of GPU memory|insufficient GPU memory|not enough GPU (?:memory|RAM)",
        ]),
        ("ONNX Runtime", &[
            r"BFCArena::AllocateRawInternal",
            r"(?i)failed to allocate memory for requested buffer",
        ]),
        ("RAPIDS, PaddlePaddle", &[
            r"rmm::out_of_memory|std::bad_alloc: out_of_memory",
            r"(?i)out of memory error on (?:GPU|NPU)",
            r"RMM failure.*pool size exceeded",
        ]),
    ]),
    group(HostMemory, Cause, &[
        ("Python, NumPy, C++, Java", &[
            r"\b_?(?:Array)?MemoryError\b|std::bad_alloc|java\.lang\.OutOfMemoryError",
        ]),
        ("errno 12, PyTorch", &[
            r"(?i)cannot allocate memory|\[Errno 12\]|\bENOMEM\b|os error 12\b|DefaultCPUAllocator",
            r"(?i)virtual memory exhausted",
        ]),
        ("Rust, Go, Node.js, gcc", &[
            r"memory allocation of \d+ bytes failed",
            r"fatal error: runtime: (?:out of memory|cannot allocate)",
            r"JavaScript heap out of memory|Killed signal terminated program",
        ]),
        ("Linux kernel", &[
            r"(?i)out of memory: kill|Killed process \d+ \(|invoked oom-killer|oom_reaper",
            r"(?i)memory cgroup out of memory|oom-kill:constraint",
        ]),
        ("Slurm, Kubernetes", &[
            r"(?i)\boom[-_]kill\b(?:\w* event| handler)|task \d+: out of memory",
            r"(?i)exceeded (?:job|step|\w+) memory limit|\bOOM Killed\b|\bOOMKilled\b|\bOUT_OF_ME",
        ]),
        ("Ray, ollama", &[
            r"(?i)killed due to the node running low on memory|killed due to memory pressure",
            r"(?i)more system memory \(",
        ]),
        ("PyTorch DataLoader", &[r"(?i)worker \(pid\W.*killed by signal: killed"]),
        ("Python, bash, OpenBLAS: no memory or PIDs left", &[
            r"(?i)can't start new thread|fork: (?:retry: )?resource temporarily",
            r"(?i)pthread_create failed.*(?:EAGAIN|resource)",
        ]),
    ]),
    group(DeviceProgram, Cause, &[
        ("CUDA error 700, ROCm", &[
            r"(?i)an illegal memory access was encountered|GPU program failed to execute",
            r"(?i)illegal address during kernel|memory access fault by GPU",
        ]),
        ("CUDA error 710, kernels", &[r"(?i)device-side assert|\.cuh?:\d+:.*(?:block: \[|Assertion )"]),
        ("CUDA errors 702, 714 to 719", &[
            r"(?i)misaligned address|unspecified launch failure|an illegal instruction was encountered",
            r"(?i)invalid program counter|hardware stack error|the launch timed out and was terminated",
            r"(?i)operation not supported on global/shared address",
        ]),
        ("CUDA, HIP error names", &[
            r"(?:cuda|hip)Error(?:IllegalAddress|LaunchFail(?:ure|ed)|Assert|MisalignedAddress)",
            r"(?:cuda|hip)Error(?:IllegalInstruction|LaunchTimeout|InvalidPc|HardwareStackError)",
            r"CUDA_ERROR_(?:ILLEGAL_ADDRESS|LAUNCH_FAILED|ASSERT|MISALIGNED_ADDRESS)",
            r"CUDA_ERROR_(?:ILLEGAL_INSTRUCTION|LAUNCH_TIMEOUT|INVALID_PC)",
        ]),
        ("CUDA libraries, ROCm", &[
            r"CU(?:DNN|BLAS|SOLVER|FFT|SPARSE)_(?:STATUS_)?(?:EXECUTION_FAILED|EXEC_FAILED)",
            r"CU(?:DNN|BLAS|SOLVER|FFT|SPARSE)_(?:STATUS_)?(?:INTERNAL_ERROR|MAPPING_ERROR)",
            r"HSA_STATUS_ERROR_(?:EXCEPTION|ILLEGAL)",
        ]),
    ]),
    group(Configuration, Cause, &[
        ("CUDA error 100, PyTorch, nvidia-smi", &[
            r"(?i)no CUDA GPUs are available|no CUDA-capable device|CUDA_ERROR_NO_DEVICE",
            r"(?i)cudaErrorNoDevice|found no NVIDIA driver|no devices were found",
            r"(?i)HIP error: no ROCm-capable",
            r"(?i)no (?:NVIDIA )?GPUs? (?:was |were )?(?:found|detected|available)",
        ]),
        ("CUDA errors 35, 222, 803, 804, NVML", &[
            r"(?i)driver on your system is too old|driver version is insufficient",
            r"(?i)unsatisfied condition: (?:cuda|driver)",
            r"(?i)CUDA_ERROR_SYSTEM_DRIVER_MISMATCH|driver/library version mismatch",
            r"(?i)LibRmVersionMismatch|unsupported display driver|forward compatibility was attempted",
            r"(?i)PTX was compiled with an unsupported|unsupported toolchain",
        ]),
        ("CUDA error 802: no Fabric Manager", &[
            r"(?i)system not yet initialized|\berror 80[234]\b|CUDA_ERROR_SYSTEM_NOT_READY",
            r"(?i)cudaErrorSystemNotReady",
        ]),
        ("CUDA errors 200, 209, PyTorch, nvcc", &[
            r"(?i)no kernel image is available|device kernel image is invalid|not compiled with CUDA",
            r"(?i)is not compatible with the current PyTorch|unsupported gpu architecture",
            r"(?i)compute capability .*(?:not supported|required|at least|lower|but)|no binary for GPU",
        ]),
        ("CUDA errors 1, 9, 98, 101, 701, Triton, PyTorch, NCCL", &[
            r"(?i)invalid device (?:ordinal|id|function)",
            r"(?i)CUDA error:? .*invalid (?:argument|configuration argument|resource handle)",
            r"(?i)too many resources requested|out of resource: shared memory",
            r"(?i)re-initialize CUDA in forked|torch\.cuda\.is_available\(\) is False",
            r"(?i)duplicate GPU detected",
        ]),
        ("NVML, cudarc, vLLM, Docker", &[
            r"(?i)(?:nvml|nvidia).*driver not loaded|couldn't communicate with the NVIDIA driver",
            r#"(?i)unable to dynamically load the "\w+" shared library|libnvidia-ml\.so"#,
            r"(?i)NVMLError_(?:LibraryNotFound|DriverNotLoaded)|NVML shared library not found",
            r"(?i)failed to infer device type|could not select device driver|GPU access blocked by",
        ]),
        ("Python, ld.so, ld", &[
            r"ModuleNotFoundError|ImportError",
            r"(?i)undefined symbol:",
            r"error while loading shared libraries|cannot open shared object file",
            r"GLIBC(?:XX)?_[\d.]+' not found|wrong ELF class|[Ee]xec format error|DLL load failed",
            r"undefined reference to",
        ]),
        ("shells, Docker, Python, make", &[
            r"(?i)executable file not found|can't open file|no rule to make target",
            r"(?i)syntax error (?:near|at)|unexpected end of file$|: unbound variable|CMake Error",
            r"(?i)is not recognized as an internal",
        ]),
        ("argparse, click, clap, getopt, Go flag", &[
            r"(?i)error: (?:argument |(?:unrecognized|unexpected|unknown) (?:argument|option|flag))",
            r"(?i)error: (?:the following (?:required )?argument|one of the arguments|ambiguous option)",
            r"(?i)error: (?:invalid (?:value|choice|option)|a value is required|no such (?:option|command))",
            r"(?i)error: (?:missing (?:option|argument|parameter|command)|got unexpected extra)",
            r"(?i)\bunrecognized option|invalid option -|flag provided but not defined",
            r"(?i)unknown command \W|unknown (?:shorthand )?flag|unknown argument:",
        ]),
        ("pydantic, Hydra, OmegaConf, jsonschema, Hugging Face", &[
            r"(?i)ValidationError\b|validation errors? for|hydra\.errors|omegaconf\.errors",
            r"(?i)ConfigCompositionException|could not override|MissingMandatoryValue",
            r"(?i)error parsing override|missing mandatory value",
        ]),
        ("PyYAML, tomllib, Python", &[
            r"yaml\.\w+\.\w+Error|TOMLDecodeError|TOML parse error",
            r"(?i)failed to parse (?:manifest|the config|config|\S+\.(?:ya?ml|json|toml))",
            r"SyntaxError:|IndentationError:|TabError:|YAMLException|configparser\.\w+Error",
        ]),
        ("HTTP statuses that repeat", &[http_status!("(?:400|404|405|410|413|422)")]),
        ("Hugging Face", &[
            r"(?i)is not a valid model identifier|is not a local folder",
            r"(?i)does not appear to have a file named|RevisionNotFoundError",
            r"(?i)\b(?:Remote)?EntryNotFoundError|RepositoryNotFoundError|DatasetNotFoundError",
            r"(?i)DataFilesNotFoundError|repo id must be",
        ]),
        ("Transformers, vLLM, llama.cpp, datasets", &[
            r"(?i)does not recognize this architecture|unsupported architecture|engine plan file",
            r"(?i)deserialize cuda engine|unrecognized (?:model|configuration class)",
            r"(?i)unknown model architecture|(?:argument|option) .?trust_remote_code=True",
            r"(?i)model architectures .* (?:not supported|failed)|offline mode is enabled",
            r"(?i)OfflineModeIsEnabled|invalid magic|BuilderConfig .* not found|unknown split",
            r"(?i)unknown quantization|quantization method .* is not",
        ]),
        ("PyTorch, vLLM", &[
            r"(?i)in loading state_dict|size mismatch for|shapes cannot be multiplied",
            r"(?i)is invalid for input of size|must match the size of tensor",
            r"(?i)expected all tensors to be on the same device|expected scalar type",
            r"(?i)must be divisible by|is not divisible by|than the maximum model length",
            r"(?i)exceeds? (?:the )?(?:model's )?(?:maximum )?(?:context|model) length",
        ]),
        ("Docker, pip, apt, TLS", &[
            r"(?i)invalid reference format|manifest (?:for \S+ not found|unknown)",
            r"(?i)no such (?:image|container)|ResolutionImpossible|conflicting dependencies",
            r"(?i)unable to locate package|CERTIFICATE_VERIFY_FAILED",
            r"(?i)certificate (?:verify failed|has expired|signed by unknown)",
            r"(?i)self[- ]signed certificate|curl: \((?:1|2|3|4|60)\)",
        ]),
        ("git, requests, urllib", &[
            r"(?i)repository .*not found|remote branch \S+ not found|pathspec .* did not match",
            r"(?i)couldn't find remote ref|not a git repository|unsupported protocol",
            r"(?i)No (?:scheme|connection adapters) (?:supplied|were found)|InvalidURL|MissingSchema",
            r"(?i)unknown url type",
        ]),
        ("errno 7, 24, 36", &[
            r"(?i)too many open files|\[Errno 24\]|os error 24\b|argument list too long",
            r"(?i)file name too long",
        ]),
    ]),
    group(DriverTransient, Cause, &[
        ("NVML error 999: a container that lost its devices", &[
            r"(?i)(?:failed to initialize NVML|NVML|nvml\w*)\b.*unknown error|NVMLError_Unknown",
            r"(?i)NVML_ERROR_UNKNOWN",
        ]),
        ("NVML errors that pass", &[
            r"NVML_ERROR_(?:TIMEOUT|IN_USE|UNINITIALIZED|NOT_READY|INSUFFICIENT_RESOURCES|MEMORY)",
            r"NVMLError_(?:Timeout|InUse|Uninitialized|NotReady|Memory|InsufficientResources)",
        ]),
        ("CUDA error 999", &[
            r"(?i)(?:CUDA|HIP)\b.*(?:\bunknown error\b|failure 999)|cudaErrorUnknown",
            r"(?i)CUDA_ERROR_UNKNOWN|hipErrorUnknown",
        ]),
        ("CUDA errors 805 to 807, 809", &[
            r"(?i)MPS client failed to connect|MPS server is not ready",
            r"(?i)MPS client (?:has been )?terminated",
            r"(?i)MPS_(?:CONNECTION_FAILED|SERVER_NOT_READY|RPC_FAILURE|CLIENT_TERMINATED)",
        ]),
        ("CUDA driver", &[
            r"cudaErrorSystemNotAvailable",
            r"CUDA driver error: (?:driver shutting down|invalid device context)",
        ]),
    ]),
    group(Hang, Cause, &[
        ("Slurm, PBS, LSF", &[
            r"(?i)DUE TO TIME LIMIT|exceeded (?:the )?(?:walltime|wall[- ]clock)|walltime .*exceeded",
        ]),
        ("Python", &[r"subprocess\.TimeoutExpired"]),
    ]),
    group(Cancelled, Cause, &[
        ("Slurm and other schedulers", &[
            r"(?i)\bCANCELLED AT \d",
        ]),
        ("clouds", &[r"(?i)(?:spot instance|node) (?:is being |was )?(?:preempted|interrupted|reclaimed)"]),
    ]),
    group(Communication, Effect, &[
        ("PyTorch ProcessGroupNCCL", &[
            r"(?i)watchdog caught collective|timeout at NCCL work|collective operation timeout",
            r"(?i)NCCL (?:operations?|communicator|watchdog)\b.*(?:fail|abort|time|exception|error)",
            r"(?i)(?:due|prior) to NCCL",
        ]),
        ("NCCL", &[
            r"ncclSystemError|ncclRemoteError|ncclInternalError|ncclUnhandledCudaError",
            r"ncclInProgress|ncclInvalidUsage",
            r"(?i)\b[NR]CCL error",
            r"ncclGetUniqueId",
        ]),
        ("NCCL transports", &[
            r"(?i)got (?:async )?(?:event|completion) (?:from|with).*(?:error|status)",
            r"(?i)NET/(?:IB|Socket|OFI)\b.*(?:error|fail|timed? ?out|async|unable)",
            r"(?i)NCCL WARN .*(?:connect|socket|recv|send|accept|bootstrap|proxy|time ?out|peer|call to ibv)",
        ]),
        ("Gloo", &[
            r"gloo/transport|[Gg]loo (?:connectFullMesh|allreduce|.*fail)",
            r"(?i)timed out waiting \d+ ?ms for (?:recv|send)",
        ]),
        ("torch.distributed", &[
            r"Dist(?:Network|Store|Backend)Error",
            r"(?i)(?:client|server) socket has (?:timed out|failed)|socket timeout",
            r"(?i)wait timeout after \d+ ?ms",
            r"(?i)timed out after \d+ ?\w* waiting for (?:clients|workers|key)",
        ]),
        ("torch.distributed", &[
            r"(?:TCPStore|\bc10d\b).*(?:fail|error|timed? ?out|closed|broken)",
            r"Rendezvous(?:Timeout|Connection|Closed|State)Error",
            r"(?i)monitoredBarrier|rank \d+ failed to pass",
            r"sendBytes failed|recvBytes failed",
        ]),
        ("Open MPI, MPICH", &[
            r"(?i)MPI_ERR_|fatal error in (?:internal_)?P?MPI_",
            r"(?i)lost (?:communication|connection) with a remote daemon",
            r"(?i)ORTE (?:daemon|was unable|has lost)|PRTE .*(?:lost|unable)|btl_tcp|ORTE_ERROR",
            r"(?i)MPI process.*unable to (?:reach|connect)",
        ]),
        ("UCX, InfiniBand, NVSHMEM, OFI", &[
            r"(?i)\bUCX +ERROR|\buc[tp]_\w+.*(?:fail|error|unreachable|timed? ?out)",
            r"(?i)transport retry co\w* exceeded|IBV_WC_|ibv_\w+.*fail",
            r"(?i)endpoint (?:timeout|is unreachable|.*unhandled timeout)|RDMA_CM_EVENT|rdma_\w+.*fail",
            r"(?i)nvshmem.*(?:fail|error|abort|timed? ?out)|NVSwitch.*(?:fail|error)",
        ]),
        ("JAX, Horovod, Ray", &[
            r"(?i)barrier timed out",
            r"(?i)coordination[ _]service.*(?:error|unavail|heartbeat|fail|lost|unhealthy)",
            r"(?i)missed heartbeats?|HorovodInternalError|Horovod has been shut down|NodeDiedError",
        ]),
        ("vLLM workers, NVSwitch systems", &[
            r"RPC call to \w+ timed out",
            r"(?i)fabric manager.*(?:fail|error|not running)",
        ]),
    ]),
    group(Network, Cause, &[
        ("urllib3, pip", &[
            r"(?i)max retries exceeded with url",
            r"(?i)(?:read|write|connect|request) (?:operation )?timed out|network timeout",
            r"(?i)failed after \d+ retries|connect(?:ion)? (?:to \S+ )?timed out|Retry\(total=0",
        ]),
        ("urllib3, requests, httpx, botocore", &[
            r"\b(?:Connect|Read|Write|Pool|SSLError|Proxy)?(?:Connect|Read|Write|Pool)Timeout(?:Error)?\b",
            r"NewConnectionError|NameResolutionError|ProtocolError\b|IncompleteRead",
            r"ChunkedEncodingError|RemoteDisconnected|ProxyError|MaxRetryError|ConnectTimeout",
        ]),
        ("requests, httpx, urllib", &[
            r"requests\.exceptions\.(?:ConnectionError|Timeout|SSLError)",
            r"(?:ConnectionError|ConnectError|ReadError): |URLError\b|urlopen error",
        ]),
        ("aiohttp, httpx", &[
            r"Client(?:Connector|OS|Payload|Connection|ConnectorDNS|ConnectorSSL|ConnectionReset)Error",
            r"Server(?:Disconnected|Timeout)Error|ConnectionTimeoutError|SocketTimeoutError",
            r"RemoteProtocolError|(?:httpx|httpcore)\.\w*(?:Timeout|Error)\b",
            r"(?i)server disconnected|peer closed connection",
        ]),
        ("getaddrinfo through libc, Go, Rust, Node.js, curl", &[
            r"(?i)temporary failure in name resolution|temporary failure resolving",
            r"(?i)name or service not known|nodename nor servname",
            r"(?i)(?:could not|couldn't|unable to|cannot|failed to) resolve (?:host|proxy|'|the host|\w+\.)",
            r"(?i)gaierror|getaddrinfo (?:failed|ENOTFOUND|EAI_AGAIN)|EAI_AGAIN|no such host",
            r"(?i)server misbehaving|failed to lookup address|dns error|no address associated with",
        ]),
        ("sockets", &[
            r"(?i)connection (?:was )?(?:reset|refused|aborted|closed|terminated)\b",
            r"(?i)connection (?:was )?(?:broken|lost|timed out|failed)\b",
            r"(?i)Connection(?:Reset|Refused|Aborted)Error",
            r"(?i)\bE(?:CONNRESET|CONNREFUSED|CONNABORTED|TIMEDOUT|HOSTUNREACH|NETUNREACH|HOSTDOWN)\b",
        ]),
        ("sockets; an address in use is a leftover that goes", &[
            r"(?i)no route to host|network is (?:unreachable|down)|operation timed out",
            r"(?i)host is (?:down|unreachable)|failed to connect to|address already in use",
            r"(?i)\bEADDRINUSE\b",
        ]),
        ("errno numbers of sockets", &[
            r"(?i)\[Errno (?:98|99|10[0134]|11[0123])\]|os error (?:98|99|10[0134]|11[0123])\b",
            r"(?i)\[Errno -[23]\]",
        ]),
        ("TLS libraries", &[
            r"(?i)TLS handshake (?:timeout|error|failed)|SSLEOFError|SSLError\b|SSL_ERROR_SYSCALL",
            r"(?i)UNEXPECTED_EOF_WHILE_READING|EOF occurred in violation|BAD_RECORD_MAC",
            r"(?i)handshake (?:operation )?(?:timed out|failure)|GnuTLS (?:recv|handshake)",
            r"(?i)OpenSSL SSL_(?:read|connect)|gnutls_handshake",
        ]),
        ("Go, Rust", &[
            r"(?i)\bi/o timeout\b|context deadline exceeded|client\.timeout exceeded",
            r"(?i)request canceled while waiting|net/http: |error sending request for url",
            r"(?i)tcp connect error|error trying to connect|connection error: |hyper::Error",
            r"(?i)error decoding response body|broken pipe \(os error",
        ]),
        ("curl, wget, rsync, ssh, git", &[
            r"curl: \((?:5|6|7|16|18|28|35|52|55|56|92)\)",
            r"(?i)wget: unable to resolve|rsync error: .*code (?:10|12|30|35)\)|rsync: connection",
            r"(?i)kex_exchange_identification|early EOF|fetch-pack|RPC failed|remote end hung up",
            r"(?i)unexpected disconnect while reading",
        ]),
        ("apt, conda, Docker", &[
            r"(?i)failed to fetch http|hash sum mismatch|some index files failed to download",
            r"(?i)CondaHTTPError|CONNECTION FAILED for url|error pulling image",
            r"(?i)failed to (?:do request|copy): (?:Get|Head|http)|toolchain download failed",
        ]),
        ("HTTP statuses that pass", &[http_status!("(?:408|425|50[0234]|52[0-9]|530)")]),
        ("HTTP reasons", &[
            r"(?i)internal server error|bad gateway|service (?:temporarily |is )?unavailable",
            r"(?i)gateway time-?out|\brequest timeout\b|temporarily unavailable, try",
        ]),
        ("AWS, Google Cloud", &[
            r"EndpointConnectionError|ConnectionClosedError|IncompleteReadError",
            r"ResponseStreamingError|\bServiceUnavailable\b|\bDeadlineExceeded\b",
            r"\bGatewayTimeout\b|google\.api_core\.exceptions\.(?:InternalServerError|RetryError)",
            r"TransportError\b|RequestTimeTooSkewed",
            r"(?i)error \(RequestTimeout\)",
        ]),
        ("gRPC, OpenAI, LiteLLM", &[
            r"StatusCode\.(?:UNAVAILABLE|DEADLINE_EXCEEDED)|\b(?:UNAVAILABLE|DEADLINE_EXCEEDED): ",
            r"code = (?:Unavailable|DeadlineExceeded)|failed to connect to all addresses",
            r"\bAPI(?:Connection|Timeout)Error\b|InternalServerError|ServiceUnavailableError",
        ]),
        ("Hugging Face, wandb", &[
            r"(?i)LocalEntryNotFoundError|couldn't (?:connect to|reach)",
            r"(?i)error happened while trying to locate the file|CAS service error",
            r"(?i)wandb.*(?:CommError|network error)|error communicating with wandb",
        ]),
        ("a download that broke off: Hugging Face, safetensors, PyTorch, datasets, pip", &[
            r"(?i)consistency check failed|deserializing header|PytorchStreamReader failed",
            r"(?i)checksum (?:mismatch|error|failed|did not match)|hash mismatch",
            r"(?i)NonMatching(?:Checksum|SplitsSizes)Error|do not match the hashes|BadZipFile",
            r"(?i)unexpected end of data|invalid stored block|Compressed file ended before",
        ]),
    ]),
    group(Configuration, Effect, &[
        ("Python's own exceptions", &[
            r"\b(?:TypeError|KeyError|AttributeError|NameError|UnboundLocalError|IndexError)\b(?::|$|\()",
            r"\b(?:ValueError|AssertionError|NotImplementedError|ZeroDivisionError)\b(?::|$|\()",
            r"\b(?:RecursionError|FileExistsError|UnicodeDecodeError|FileNotFoundError)\b(?::|$|\()",
            r"\b(?:NotADirectoryError|IsADirectoryError)\b(?::|$|\()",
        ]),
        ("Transformers, pip: they also say it when the network failed", &[
            r"Can't load (?:the |an? )?(?:tokenizer|config|model|processor)",
            r"Can't load (?:the |an? )?(?:image processor|feature extractor)|: No module named ",
            r"(?i)no matching distribution found|could not find a version that satisfies",
            r"(?i)failed building wheel|subprocess-exited-with-error",
        ]),
    ]),
    group(Hang, Effect, &[
        ("servers under test", &[
            r"(?i)(?:server|engine|process\w*) (?:\w+ )*(?:did not|didn't) (?:start|respond|become)\b",
            r"(?i)(?:server|engine|process\w*) (?:\w+ )*failed to (?:start|respond|come up|become)\b",
            r"(?i)timed out waiting for .*(?:start|ready|server)",
        ]),
    ]),
    group(Network, Effect, &[
        ("any connection, and pipes", &[
            r"BrokenPipeError",
            r"(?i)\bbroken pipe\b",
            r"\bEPIPE\b|\bTimeoutError\b|: unexpected EOF$",
        ]),
    ]),
    group(Cancelled, Effect, &[
        ("Python, torchrun", &[
            r"\bKeyboardInterrupt\b|SignalException: .*signal: (?:1|2|15)\b",
            r"(?i)\b(?:job|step) (?:was |has been )?(?:cancelled|preempted)",
            r"(?i)received (?:signal )?SIG(?:TERM|INT|HUP)|received signal (?:1|2|15)\b",
        ]),
    ]),
    group(HostMemory, Symptom, &[
        ("launchers that report a killed child", &[
            r"exit ?code\W{1,4}-9\b|return code\W{1,4}-9\b|Signals\.SIGKILL",
            r"(?i:killed by signal 9|signal:? 9\b|signal 9 \(|\bSIGKILL\b)",
            r"exit (?:code|status) 137\b|exit status:? 137\b|task \d+: Killed",
        ]),
    ]),
    group(Crash, Symptom, &[
        ("shells, launchers, Python", &[
            r"(?i)segmentation fault|segfault|\bSIG(?:SEGV|ABRT|BUS|ILL|FPE)\b|core dumped",
            r"(?i)exited on signal (?:4|6|7|8|11)\b|exit ?code\W{1,4}-(?:4|6|7|8|11)\b",
            r"(?i)return code\W{1,4}-(?:4|6|7|8|11)\b",
        ]),
        ("Python, glibc, Rust, Go, Ray", &[
            r"Fatal Python error|double free or corruption|free\(\): invalid|malloc\(\): ",
            r"corrupted (?:size|double)|stack smashing|AddressSanitizer|GGML_ASSERT",
            r"\bpanicked at\b|^panic: |exit(?:ed)? unexpectedly|terminated abruptly|ActorDiedError",
            r"WorkerCrashedError",
        ]),
    ]),
    group(Access, Symptom, &[(
        "errno 1, 13: often said without harm",
        &[r"(?i)permission denied|operation not permitted|\bEACCES\b|\bEPERM\b|\[Errno 13?\]"],
    )]),
    group(Configuration, Symptom, &[
        ("shells, where a script may go on", &[r"(?i)command not found|: not found$"]),
        ("programs that were called wrongly", &[r"(?i)^usage:? +\S.*[\[<-]"]),
        ("errno 2, 20, 21: often said without harm", &[
            r"(?i)no such file or directory|\bENOENT\b|\[Errno 2\]|os error 2\b|not a directory",
            r"(?i)is a directory",
        ]),
    ]),
];
