switch "path", "sdk/src"
when defined(wasm): include "sdk/component.nims"
