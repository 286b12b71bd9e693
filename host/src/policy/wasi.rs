//! WASI 0.2 with nothing behind it: no files, no environment, no network, no
//! time that passes, no randomness that cannot be repeated.
//!
//! Ordinary toolchains import all of it. What they write to standard output and
//! error is kept, up to a bound. No function blocks: wasmtime's own would wait
//! on a tokio runtime, which panics inside of another.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rand::SeedableRng;
use rand::rngs::ChaCha12Rng;
use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::cli;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::io::{error, poll as waiting};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::p2::bindings::sockets::instance_network;
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddressFamily, Network};
use wasmtime_wasi::p2::bindings::sockets::tcp_create_socket;
use wasmtime_wasi::p2::bindings::sync::io::{poll, streams};
use wasmtime_wasi::p2::bindings::sync::sockets::udp_create_socket;
use wasmtime_wasi::p2::{
    self, DynInputStream, DynOutputStream, DynPollable, Pollable, SocketError, SocketResult, StreamError,
    StreamResult,
};
use wasmtime_wasi::random::{WasiRandom, WasiRandomCtx};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView, async_trait};

use super::sandbox::{Breach, Moment, Sandbox};
use super::unreachable;

/// Interfaces that are linked, without their version, which is 0.2 of any patch.
pub(super) const INTERFACES: [&str; 27] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Handles that one call may hold: streams, and what it waits for.
const HANDLES: usize = 1_000;

/// Random bytes of one call.
const RANDOM_BYTES: u64 = 64 << 10;

/// Bytes of one write. WASI's documents ask for at least 4,096.
const WRITE_BYTES: u64 = 64 << 10;

pub(super) struct Wasi {
    ctx: WasiCtx,
    table: ResourceTable,
    /// Standard output and error, as they came.
    pub(super) log: Vec<u8>,
}

impl Wasi {
    fn new(moment: Moment) -> Self {
        let random = |stream| {
            let mut random = ChaCha12Rng::seed_from_u64(moment.seed);
            random.set_stream(stream);
            random
        };
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        let ctx = WasiCtx::builder()
            .secure_random(random(0))
            .insecure_random(random(1))
            .insecure_random_seed(u128::from(moment.seed))
            .max_random_size(RANDOM_BYTES)
            .build();
        Self { ctx, table, log: Vec::new() }
    }
}

/// Links WASI, with what would block, sleep or open a socket replaced. What no
/// guest can come by an instance of is linked by the types that the component
/// gives it: all that wasmtime has for them made a first decision 6 % longer.
pub(super) fn link(linker: &mut Linker<Sandbox>, component: &Component) -> wasmtime::Result<()> {
    cli::environment::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, WasiCliView::cli)?;
    preopens::add_to_linker::<_, WasiFilesystem>(linker, WasiFilesystemView::filesystem)?;
    error::add_to_linker::<_, HasSelf<ResourceTable>>(linker, |sandbox| sandbox.ctx().table)?;
    insecure::add_to_linker::<_, WasiRandom>(linker, chance)?;
    insecure_seed::add_to_linker::<_, WasiRandom>(linker, chance)?;
    random::add_to_linker::<_, WasiRandom>(linker, chance)?;
    instance_network::add_to_linker::<_, WasiSockets>(linker, WasiSocketsView::sockets)?;
    network::add_to_linker::<_, HasSelf<Sandbox>>(linker, &network::LinkOptions::default(), |sandbox| {
        sandbox
    })?;
    poll::add_to_linker::<_, HasSelf<Sandbox>>(linker, |sandbox| sandbox)?;
    streams::add_to_linker::<_, HasSelf<Sandbox>>(linker, |sandbox| sandbox)?;
    monotonic_clock::add_to_linker::<_, HasSelf<Sandbox>>(linker, |sandbox| sandbox)?;
    wall_clock::add_to_linker::<_, HasSelf<Sandbox>>(linker, |sandbox| sandbox)?;
    tcp_create_socket::add_to_linker::<_, HasSelf<Sandbox>>(linker, |sandbox| sandbox)?;
    udp_create_socket::add_to_linker::<_, HasSelf<Sandbox>>(linker, |sandbox| sandbox)?;
    unreachable::link(linker, component)
}

fn chance(sandbox: &mut Sandbox) -> &mut WasiRandomCtx {
    sandbox.ctx().ctx.random()
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let moment = self.moment;
        let wasi = self.wasi.get_or_insert_with(|| Wasi::new(moment));
        WasiCtxView { ctx: &mut wasi.ctx, table: &mut wasi.table }
    }
}

impl Sandbox {
    fn write_log(&mut self, bytes: &[u8]) -> StreamResult<()> {
        let bound = self.limits.log_bytes;
        let moment = self.moment;
        let wasi = self.wasi.get_or_insert_with(|| Wasi::new(moment));
        let room = usize::try_from(bound).unwrap_or(usize::MAX).saturating_sub(wasi.log.len());
        wasi.log.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room { Err(StreamError::Trap(Breach::Log { bound }.into())) } else { Ok(()) }
    }
}

/// The result of something that must not wait.
fn at_once<T>(future: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Breach::Sleep.into()),
    }
}

impl poll::Host for Sandbox {
    fn poll(&mut self, list: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        at_once(waiting::Host::poll(self.ctx().table, list))
    }
}

impl poll::HostPollable for Sandbox {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        at_once(waiting::HostPollable::ready(self.ctx().table, pollable))
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        at_once(waiting::HostPollable::block(self.ctx().table, pollable))
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        waiting::HostPollable::drop(self.ctx().table, pollable)
    }
}

impl streams::Host for Sandbox {
    fn convert_stream_error(&mut self, error: StreamError) -> wasmtime::Result<streams::StreamError> {
        streams::Host::convert_stream_error(self.ctx().table, error)
    }
}

/// Standard input is the only stream there is to read from, and it has ended.
impl streams::HostInputStream for Sandbox {
    fn read(&mut self, _: Resource<DynInputStream>, _: u64) -> StreamResult<Vec<u8>> {
        Err(StreamError::Closed)
    }

    fn blocking_read(&mut self, _: Resource<DynInputStream>, _: u64) -> StreamResult<Vec<u8>> {
        Err(StreamError::Closed)
    }

    fn skip(&mut self, _: Resource<DynInputStream>, _: u64) -> StreamResult<u64> {
        Err(StreamError::Closed)
    }

    fn blocking_skip(&mut self, _: Resource<DynInputStream>, _: u64) -> StreamResult<u64> {
        Err(StreamError::Closed)
    }

    fn subscribe(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        p2::subscribe(self.ctx().table, stream)
    }

    fn drop(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<()> {
        self.ctx().table.delete(stream)?;
        Ok(())
    }
}

/// Standard output and error are the only streams there are to write to.
impl streams::HostOutputStream for Sandbox {
    fn check_write(&mut self, _: Resource<DynOutputStream>) -> StreamResult<u64> {
        Ok(WRITE_BYTES)
    }

    fn write(&mut self, _: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        self.write_log(&bytes)
    }

    fn blocking_write_and_flush(&mut self, _: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        self.write_log(&bytes)
    }

    fn flush(&mut self, _: Resource<DynOutputStream>) -> StreamResult<()> {
        Ok(())
    }

    fn blocking_flush(&mut self, _: Resource<DynOutputStream>) -> StreamResult<()> {
        Ok(())
    }

    fn write_zeroes(&mut self, _: Resource<DynOutputStream>, len: u64) -> StreamResult<()> {
        let len = usize::try_from(len.min(WRITE_BYTES)).expect("a write's bound fits any machine");
        self.write_log(&vec![0; len])
    }

    fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        len: u64,
    ) -> StreamResult<()> {
        streams::HostOutputStream::write_zeroes(self, stream, len)
    }

    fn splice(
        &mut self,
        _: Resource<DynOutputStream>,
        _: Resource<DynInputStream>,
        _: u64,
    ) -> StreamResult<u64> {
        Err(StreamError::Closed)
    }

    fn blocking_splice(
        &mut self,
        _: Resource<DynOutputStream>,
        _: Resource<DynInputStream>,
        _: u64,
    ) -> StreamResult<u64> {
        Err(StreamError::Closed)
    }

    fn subscribe(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<Resource<DynPollable>> {
        p2::subscribe(self.ctx().table, stream)
    }

    fn drop(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        self.ctx().table.delete(stream)?;
        Ok(())
    }
}

/// An instant on a clock that stands still: it has come, or never does.
struct Due(bool);

#[async_trait]
impl Pollable for Due {
    async fn ready(&mut self) {
        if !self.0 {
            std::future::pending::<()>().await;
        }
    }
}

impl monotonic_clock::Host for Sandbox {
    /// Never 0, which Go's runtime takes for a clock that is broken.
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(u64::try_from(self.moment.since_epoch().as_nanos()).unwrap_or(u64::MAX).max(1))
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let due = when <= monotonic_clock::Host::now(self)?;
        let table = self.ctx().table;
        let due = table.push(Due(due))?;
        p2::subscribe(table, due)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let now = monotonic_clock::Host::now(self)?;
        monotonic_clock::Host::subscribe_instant(self, now.saturating_add(duration))
    }
}

impl wall_clock::Host for Sandbox {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let now = self.moment.since_epoch();
        Ok(wall_clock::Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: 1 })
    }
}

impl tcp_create_socket::Host for Sandbox {
    fn create_tcp_socket(&mut self, _: IpAddressFamily) -> SocketResult<Resource<p2::TcpSocket>> {
        Err(ErrorCode::NotSupported.into())
    }
}

/// What the two above need beside them.
impl network::Host for Sandbox {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(
        &mut self,
        _: Resource<wasmtime_wasi::p2::IoError>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(None)
    }
}

impl network::HostNetwork for Sandbox {
    fn drop(&mut self, network: Resource<Network>) -> wasmtime::Result<()> {
        self.ctx().table.delete(network)?;
        Ok(())
    }
}

impl udp_create_socket::Host for Sandbox {
    fn create_udp_socket(&mut self, _: IpAddressFamily) -> SocketResult<Resource<p2::UdpSocket>> {
        Err(ErrorCode::NotSupported.into())
    }
}
