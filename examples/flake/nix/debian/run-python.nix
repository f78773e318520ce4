# A derivation whose builder is the hermetic Python itself, with no shell
# between. `script` is a file; `spec`, any value, reaches it as JSON in the file
# that $specPath names. The rest of the attributes go to the derivation.
{ system, seed, sourceDateEpoch }:
python:
{ name, script, spec ? { }, ... }@arguments:
derivation ({
  inherit name system;
  builder = python.loader;
  args = python.arguments ++ [ "-s" "-P" "-S" "-B" "-X" "utf8" "${script}" ];
  PATH = "${seed.applets}/bin";
  TZ = "UTC";
  LC_ALL = "C";
  SOURCE_DATE_EPOCH = toString sourceDateEpoch;
  # The reason why the arguments are not -I, which ignores it. A builder's
  # environment is the derivation's own, so there is nothing else to ignore.
  PYTHONHASHSEED = "0";
  spec = builtins.toJSON spec;
  passAsFile = [ "spec" ];
  preferLocalBuild = true;
} // removeAttrs arguments [ "name" "script" "spec" ])
