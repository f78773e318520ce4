# A PEP 517 build environment: some installed wheels. Never part of an image.
{ pkgs }:
{ wheels }:
{
  inherit wheels;
  sitePackages = map (wheel: "${wheel}/lib/python${pkgs.python.version}/site-packages") wheels;
}
