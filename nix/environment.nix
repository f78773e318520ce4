# A PEP 517 build environment: some installed wheels and how they are started.
# build_environment.py lays it out in each build. Never part of an image.
{ pkgs }:
{ wheels }:
{
  inherit wheels;
  spec = {
    wheels = map (wheel: { out = "${wheel}"; meta = "${wheel.meta}"; }) wheels;
    libraries = map toString pkgs.programLibraries;
    python = { inherit (pkgs.python) version program loader libraries; };
  };
}
