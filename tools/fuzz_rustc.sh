#!/usr/bin/env bash
# The compiler, with coverage counters for the crates that read files.
case " $* " in
  *" --crate-name cresset_io "* | *" --crate-name cresset_data "* | *" --crate-name cresset_cli "* | *" --crate-name toml "* | *" --crate-name toml_parser "*)
    exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
      -Cllvm-args=-sanitizer-coverage-pc-table -Ccodegen-units=1 ;;
  *) exec "$@" ;;
esac
