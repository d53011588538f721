//! Work that waits for the disk, on threads that serve requests.

/// Runs work of which `waits` says whether it waits for the disk. If so, the thread's other requests are handed to
/// another thread meanwhile; otherwise it takes microseconds and stays where it is.
pub(crate) fn on_disk<T>(waits: bool, work: impl FnOnce() -> T) -> T {
    if !waits {
        return work();
    }
    let flavor = tokio::runtime::Handle::try_current().map(|runtime| runtime.runtime_flavor());
    match flavor {
        Ok(tokio::runtime::RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
