# `nix develop`: the toolchain that builds the package, for work on the forge. What is built with it starts on any host.
#
# Nix wants a derivation whose builder is called bash, and has it write down its environment.
{ pkgs, toolchain }:
derivation {
  name = "lychd-forge-shell";
  inherit (pkgs) system;
  builder = toolchain.bash;
  args = [ "-c" "echo > $out" ];
  # it asks for the list
  outputs = [ "out" ];
  PATH = "${toolchain.beside}:${toolchain.bin}";
  CARGO = toolchain.cargo;
  CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER = "${toolchain.linker}";
  CC = "gcc";
}
