# Node and npm for the sandbox, from packages of the indexes; toolchain.py says
# what is in it. `node` and `npm` are each
# { version; kind; root; file; url; hash; }, `kind` "wheel" or "npm".
{ pkgs, scripts }:
{ node, npm }:
let
  tool = { version, kind, root, file, url, hash }: {
    inherit version kind root;
    archive = "${pkgs.fetchurl { name = file; inherit url hash; }}";
  };
in
pkgs.runPython {
  name = "node-${node.version}";
  script = "${scripts}/node/toolchain.py";
  spec = {
    node = tool node;
    npm = tool npm;
    libraries = map toString pkgs.programLibraries;
  };
} // { inherit (node) version; }
