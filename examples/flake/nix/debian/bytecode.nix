# Bytecode of the standard library, at usr/lib/python3.x/**/__pycache__, for the
# image and for the builders' Python. Debian packages carry none: a maintainer
# script compiles it. Each file names the hash of its source and is checked
# against it, so it does not depend on time stamps.
{ runPython, version, debs }:
runPython {
  name = "python${version}-bytecode";
  script = ./bytecode.py;
  spec = { inherit version; debs = map toString debs; };
  allowedReferences = [ ];
}
