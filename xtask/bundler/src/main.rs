//! `bundler <wasm> <folder> <name>`: writes the JavaScript glue for a compiled browser half.
//!
//! wasm-bindgen as a library, so that its version is the one in `Cargo.lock` and nothing has to be installed.
//! A crate of its own because it takes a minute to build; `xtask` starts it only when there is something to bundle.

#![expect(clippy::print_stderr, reason = "the terminal is where this program reports")]

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [wasm, folder, name] = args.as_slice() else {
        eprintln!("bundler: expected <wasm> <folder> <name>");
        return ExitCode::FAILURE;
    };
    let written = Bindgen::new()
        .input_path(wasm)
        .out_name(name)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .web(true)
        .and_then(|bindgen| bindgen.generate(folder));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bundler: {error:#}");
            ExitCode::FAILURE
        }
    }
}
