# What `-d:wasm` means: a core module for `reprieve policy componentize`, by zig's clang.
# A project's config.nims includes it.

switch "nimcache", nimcacheDir() & "_wasm"
let compiler = nimcacheDir() & "/zigcc"
mkDir nimcacheDir()
writeFile(compiler, "#!/bin/sh\nexec \"${ZIG:-venv/bin/python-zig}\" cc \"$@\"\n")
exec "chmod +x '" & compiler & "'"
switch "cc", "clang"
switch "clang.exe", compiler
switch "clang.linkerexe", compiler
switch "cpu", "wasm32"
switch "os", "any"
for name in ["posix", "noSignalHandler", "useMalloc", "release"]: switch "define", name
switch "mm", "arc"
switch "opt", "size"
switch "threads", "off"
switch "noMain", "on"
switch "passC", "-target wasm32-wasi -g0"
switch "passL", "-target wasm32-wasi -mexec-model=reactor -Wl,-S"
