# A system package of the image by its name in nixpkgs.nix.
#
#   paths  the outputs that belong into an image: what runs and what it reads
{ find, packages }:
name:
let
  inherit (builtins) elem filter head;
  asked = packages.${name} or (throw "system package ${name} is not in nixpkgs.nix");
  found = find { inherit name; inherit (asked) attribute requestedBy at; };

  # `postgresql.lib` means that output; `ffmpeg` means the package.
  outputs =
    if found.outputSpecified or false then [ found.outputName ]
    else filter (output: elem output [ "out" "bin" "lib" "data" ]) (found.outputs or [ "out" ]);
  paths = map (output: "${found.${output}}") (if outputs == [ ] then [ (head found.outputs) ] else outputs);
in
{
  pname = name;
  inherit paths;
  inherit (asked) requestedBy;
}
