# runCommand NAME ENVIRONMENT SCRIPT, as in nixpkgs, with busybox's shell and
# tools. `pipefail` matters: without it `failing | tee $out` succeeds.
{ system, seed, sourceDateEpoch }:
name: environment: script:
derivation ({
  inherit name system;
  builder = seed.busybox;
  args = [
    "sh"
    "-euc"
    ''
      set -o pipefail
      umask 022
      . "$buildCommandPath"
    ''
  ];
  PATH = "${seed.applets}/bin";
  TZ = "UTC";
  LC_ALL = "C";
  SOURCE_DATE_EPOCH = toString sourceDateEpoch;
  PYTHONHASHSEED = "0";
  buildCommand = script;
  passAsFile = [ "buildCommand" ] ++ environment.passAsFile or [ ];
  preferLocalBuild = true;
} // removeAttrs environment [ "passAsFile" ])
