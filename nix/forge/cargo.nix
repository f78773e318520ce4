# A derivation that runs cargo over the program's source (or `from`), without a network. `script` runs in the source's
# directory; the other attributes go to the derivation.
{ pkgs, toolchain, source, vendor }:
{ name, script, from ? source, ... }@arguments:
pkgs.runCommand name
  ({
    CARGO = toolchain.cargo;
    CARGO_NET_OFFLINE = "true";
    CARGO_TERM_COLOR = "never";
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER = "${toolchain.linker}";
    # crates with C files ask for it by name
    CC = "gcc";
  } // removeAttrs arguments [ "name" "script" "from" ])
  ''
    export PATH=${toolchain.bin}:$PATH
    export HOME=$PWD/home CARGO_HOME=$PWD/cargo CARGO_BUILD_JOBS=$NIX_BUILD_CORES
    mkdir $HOME $CARGO_HOME
    cat > $CARGO_HOME/config.toml <<END
    [source.crates-io]
    replace-with = "vendor"
    [source.vendor]
    directory = "${vendor}"
    END
    cp -R ${from} source
    chmod -R u+w source
    cd source
    # Messages of a panic name files: they must be the same wherever it was built, and refer to nothing.
    export RUSTFLAGS="--remap-path-prefix=${vendor}=/crates --remap-path-prefix=$PWD=/lychd-forge"
    export CFLAGS="-ffile-prefix-map=${vendor}=/crates -ffile-prefix-map=$PWD=/lychd-forge"
    ${script}
  ''
