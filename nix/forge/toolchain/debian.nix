# Written by `make toolchain`; edits are lost.
# The pinned Debian packages: of the image and of the Python that builds it.
{
  python = {
    version = "3.13";
    packages = [
      "gcc-14-base"
      "libbz2-1.0"
      "libc6"
      "libdb5.3t64"
      "libexpat1"
      "libffi8"
      "libgcc-s1"
      "liblzma5"
      "libncursesw6"
      "libpython3.13-minimal"
      "libpython3.13-stdlib"
      "libreadline8t64"
      "libsqlite3-0"
      "libssl3t64"
      "libtinfo6"
      "libuuid1"
      "libzstd1"
      "media-types"
      "netbase"
      "openssl-provider-legacy"
      "python3.13-minimal"
      "readline-common"
      "tzdata"
      "zlib1g"
    ];
  };
  packages = {
    "base-files" = {
      version = "13.8+deb13u8";
      file = "base-files_13.8+deb13u8_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/b/base-files/base-files_13.8+deb13u8_amd64.deb";
      sha256 = "f5a0546098f38bad5843380521781fe7214e5a283d3bed63f79c505545f262af";
      requestedBy = [ "core" ];
    };
    "bash" = {
      version = "5.2.37-2+b10";
      file = "bash_5.2.37-2+b10_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/b/bash/bash_5.2.37-2+b10_amd64.deb";
      sha256 = "2fd7b04f1b7caa29c4e683f5216e6af354a41e3cdcf6e75394d7cda680f9ab82";
      requestedBy = [ "core" ];
    };
    "binutils" = {
      version = "2.44-3";
      file = "binutils_2.44-3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/b/binutils/binutils_2.44-3_amd64.deb";
      sha256 = "6bc08c02539ba53b5e748142397144c499f9b20b5fa9bb56431545db124addeb";
      requestedBy = [ "core" ];
    };
    "binutils-common" = {
      version = "2.44-3";
      file = "binutils-common_2.44-3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/b/binutils/binutils-common_2.44-3_amd64.deb";
      sha256 = "002da5d23f8757dee97a2c0a40e0e1d4d85a43da094488ee2ee7068d4d3691f9";
      requestedBy = [ "core" ];
    };
    "binutils-x86-64-linux-gnu" = {
      version = "2.44-3";
      file = "binutils-x86-64-linux-gnu_2.44-3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/b/binutils/binutils-x86-64-linux-gnu_2.44-3_amd64.deb";
      sha256 = "e6741ce95ff0f7a131c8d9faa3528ccbbc453078bbc62a97da81340ed7462c53";
      requestedBy = [ "core" ];
    };
    "ca-certificates" = {
      version = "20250419+deb13u1";
      file = "ca-certificates_20250419+deb13u1_all.deb";
      url = "http://deb.debian.org/debian/pool/main/c/ca-certificates/ca-certificates_20250419+deb13u1_all.deb";
      sha256 = "c10585ac22c7f617a73d394eea29ba71d0356f350ae973b19043d1b017f80f54";
      requestedBy = [ ];
    };
    "cargo" = {
      version = "1.96.1+dfsg1-2~bpo13+1";
      file = "cargo_1.96.1+dfsg1-2-bpo13+1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/r/rustc/cargo_1.96.1+dfsg1-2~bpo13+1_amd64.deb";
      sha256 = "bd97646f93fadf1a473b6d4cf93f4caf3fbda33f039b496dbc2ebec6c8e30aa9";
      requestedBy = [ "core" ];
    };
    "coreutils" = {
      version = "9.7-3";
      file = "coreutils_9.7-3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/c/coreutils/coreutils_9.7-3_amd64.deb";
      sha256 = "1299ab6f9389a288eb2f5f3dd222c26cc777b9a2d5ecb6ee4cbd340cebcdada2";
      requestedBy = [ ];
    };
    "cpp" = {
      version = "4:14.2.0-1";
      file = "cpp_14.2.0-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-defaults/cpp_14.2.0-1_amd64.deb";
      sha256 = "a6ba40550aadec80437813e0fce5516574945ff40e72306a5b378c03af3a6544";
      requestedBy = [ "core" ];
    };
    "cpp-14" = {
      version = "14.2.0-19";
      file = "cpp-14_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/cpp-14_14.2.0-19_amd64.deb";
      sha256 = "3bae5fe03c56c6d021900ab4fb79e35c6f75eee72a73fccc6f28a39db559d6a0";
      requestedBy = [ "core" ];
    };
    "cpp-14-x86-64-linux-gnu" = {
      version = "14.2.0-19";
      file = "cpp-14-x86-64-linux-gnu_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/cpp-14-x86-64-linux-gnu_14.2.0-19_amd64.deb";
      sha256 = "ef274b5379f5f97fc71619d39ecc84d039d3e184570d207b909c90afaa5d79e0";
      requestedBy = [ "core" ];
    };
    "cpp-x86-64-linux-gnu" = {
      version = "4:14.2.0-1";
      file = "cpp-x86-64-linux-gnu_14.2.0-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-defaults/cpp-x86-64-linux-gnu_14.2.0-1_amd64.deb";
      sha256 = "d902f484e38bce59e82efc0df2fe20139a0932ca759ecafdfe6e5b6c72238eb8";
      requestedBy = [ "core" ];
    };
    "dash" = {
      version = "0.5.12-12";
      file = "dash_0.5.12-12_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/d/dash/dash_0.5.12-12_amd64.deb";
      sha256 = "a8902cb6d8650134764a25fb80aec8589d858ef71ece1680a62e84816c37bb04";
      requestedBy = [ ];
    };
    "debianutils" = {
      version = "5.23.2";
      file = "debianutils_5.23.2_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/d/debianutils/debianutils_5.23.2_amd64.deb";
      sha256 = "720e43fda316676076498b4224ad3318049deafe60cc7c601011048de03ee97d";
      requestedBy = [ "core" ];
    };
    "gcc" = {
      version = "4:14.2.0-1";
      file = "gcc_14.2.0-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-defaults/gcc_14.2.0-1_amd64.deb";
      sha256 = "eee65c41a441c57c05f754ced1b9d093956966a1c7da9938c3ec00d3dc2f905d";
      requestedBy = [ "core" ];
    };
    "gcc-14" = {
      version = "14.2.0-19";
      file = "gcc-14_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/gcc-14_14.2.0-19_amd64.deb";
      sha256 = "21500408b5019d8d29f70ce58488e2eea469a1adb4b5fd7db45e819b5efcac4e";
      requestedBy = [ "core" ];
    };
    "gcc-14-base" = {
      version = "14.2.0-19";
      file = "gcc-14-base_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/gcc-14-base_14.2.0-19_amd64.deb";
      sha256 = "5b6825de4263824b78c4c51f6476414f3b4e89c2ab63e81dc8b9b5501e867cf6";
      requestedBy = [ "core" ];
    };
    "gcc-14-x86-64-linux-gnu" = {
      version = "14.2.0-19";
      file = "gcc-14-x86-64-linux-gnu_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/gcc-14-x86-64-linux-gnu_14.2.0-19_amd64.deb";
      sha256 = "a17ef039f1ba482051c3efb5c2c24070002e60dd0bd09fd456ec31481a11b725";
      requestedBy = [ "core" ];
    };
    "gcc-x86-64-linux-gnu" = {
      version = "4:14.2.0-1";
      file = "gcc-x86-64-linux-gnu_14.2.0-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-defaults/gcc-x86-64-linux-gnu_14.2.0-1_amd64.deb";
      sha256 = "04c28c2760b0094b3d7758154ac095303dd00599b63ebad4086a325b607308b7";
      requestedBy = [ "core" ];
    };
    "libacl1" = {
      version = "2.3.2-2+b1";
      file = "libacl1_2.3.2-2+b1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/a/acl/libacl1_2.3.2-2+b1_amd64.deb";
      sha256 = "08074f01e384bc07c0c2d79a58cf4a6523f71cf75d1808101c79617656c9a39d";
      requestedBy = [ ];
    };
    "libasan8" = {
      version = "14.2.0-19";
      file = "libasan8_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/libasan8_14.2.0-19_amd64.deb";
      sha256 = "771899ade7310fe31aa538a509354c33d62bbe4e408b4e5fc1e513988dc42645";
      requestedBy = [ "core" ];
    };
    "libatomic1" = {
      version = "14.2.0-19";
      file = "libatomic1_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/libatomic1_14.2.0-19_amd64.deb";
      sha256 = "212b399aae2f7299203d261a57e49372e09565a9a5ea971905f94a3960366c05";
      requestedBy = [ "core" ];
    };
    "libattr1" = {
      version = "1:2.5.2-3";
      file = "libattr1_2.5.2-3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/a/attr/libattr1_2.5.2-3_amd64.deb";
      sha256 = "606b5ee12ea2786be607a17f40c1fb5e65c76ceaff66665bdf8f8c6c1b71d1fb";
      requestedBy = [ ];
    };
    "libbinutils" = {
      version = "2.44-3";
      file = "libbinutils_2.44-3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/b/binutils/libbinutils_2.44-3_amd64.deb";
      sha256 = "4f4664c8a8f0ad0c8631c39fab02e3d8d86ccc6f4436a1d59f059dbcb0492679";
      requestedBy = [ "core" ];
    };
    "libbrotli1" = {
      version = "1.1.0-2+deb13u1";
      file = "libbrotli1_1.1.0-2+deb13u1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/b/brotli/libbrotli1_1.1.0-2+deb13u1_amd64.deb";
      sha256 = "db46824c60fee46aff3cc0be3e5f736bc606cae669b1fb17516a41e8073251a9";
      requestedBy = [ "core" ];
    };
    "libbsd0" = {
      version = "0.12.2-2";
      file = "libbsd0_0.12.2-2_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libb/libbsd/libbsd0_0.12.2-2_amd64.deb";
      sha256 = "e5a85986fa6bec3307ab1bc860736b478b331882bc45e17675a7bdf88eecb43a";
      requestedBy = [ "core" ];
    };
    "libbz2-1.0" = {
      version = "1.0.8-6";
      file = "libbz2-1.0_1.0.8-6_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/b/bzip2/libbz2-1.0_1.0.8-6_amd64.deb";
      sha256 = "cba4cda04244b5e481bb15524bc3c983a7d1b6f330013b9b381706a2fcb65310";
      requestedBy = [ ];
    };
    "libc-bin" = {
      version = "2.41-12+deb13u5";
      file = "libc-bin_2.41-12+deb13u5_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/glibc/libc-bin_2.41-12+deb13u5_amd64.deb";
      sha256 = "f30ee7381a9c6a3936165259bcd58e65f4b288e351606d200c8435724c5876dd";
      requestedBy = [ ];
    };
    "libc-dev-bin" = {
      version = "2.41-12+deb13u5";
      file = "libc-dev-bin_2.41-12+deb13u5_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/glibc/libc-dev-bin_2.41-12+deb13u5_amd64.deb";
      sha256 = "9546268f031bd598f32262ea3ca8f2558cd41dcaada13dd1af9ad329c3dbf30c";
      requestedBy = [ "core" ];
    };
    "libc6" = {
      version = "2.41-12+deb13u5";
      file = "libc6_2.41-12+deb13u5_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/glibc/libc6_2.41-12+deb13u5_amd64.deb";
      sha256 = "b59b0625cd1a791375d40dab23a4d5d3d0641e3d0a773501becdc3725b7f99cf";
      requestedBy = [ "core" ];
    };
    "libc6-dev" = {
      version = "2.41-12+deb13u5";
      file = "libc6-dev_2.41-12+deb13u5_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/glibc/libc6-dev_2.41-12+deb13u5_amd64.deb";
      sha256 = "858f4d477cc39324f3c6582cdebcf38928fb385bb17b40518c77a7dccd296428";
      requestedBy = [ "core" ];
    };
    "libcap2" = {
      version = "1:2.75-10+deb13u1+b3";
      file = "libcap2_2.75-10+deb13u1+b3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libc/libcap2/libcap2_2.75-10+deb13u1+b3_amd64.deb";
      sha256 = "89fc4d34fc7a28ad6f0fcd0c561ab253b9dedf6f77f5a000b47c276c8295bf67";
      requestedBy = [ ];
    };
    "libcc1-0" = {
      version = "14.2.0-19";
      file = "libcc1-0_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/libcc1-0_14.2.0-19_amd64.deb";
      sha256 = "2d587e3bfba4aec701946b7ba0c1640b97b6d8dd0a34ba1c70ae85261ecedefa";
      requestedBy = [ "core" ];
    };
    "libcom-err2" = {
      version = "1.47.2-3+b12";
      file = "libcom-err2_1.47.2-3+b12_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/e/e2fsprogs/libcom-err2_1.47.2-3+b12_amd64.deb";
      sha256 = "bd43e020b8fed399db3eebf098111f10fba4c436fff99ccad72cc7e27c9764ec";
      requestedBy = [ "core" ];
    };
    "libcrypt-dev" = {
      version = "1:4.4.38-1";
      file = "libcrypt-dev_4.4.38-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libx/libxcrypt/libcrypt-dev_4.4.38-1_amd64.deb";
      sha256 = "98e2333aea8d64ca68f9b75c16256d3a05492fd8f9e6dba96adbc6f19e4f5a09";
      requestedBy = [ "core" ];
    };
    "libcrypt1" = {
      version = "1:4.4.38-1";
      file = "libcrypt1_4.4.38-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libx/libxcrypt/libcrypt1_4.4.38-1_amd64.deb";
      sha256 = "0ebc144d662e3197982d1bf3a7b8b35ca845e54c68811de0328b1f0d7c67585c";
      requestedBy = [ "core" ];
    };
    "libctf-nobfd0" = {
      version = "2.44-3";
      file = "libctf-nobfd0_2.44-3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/b/binutils/libctf-nobfd0_2.44-3_amd64.deb";
      sha256 = "e280b2be3db6e584500e865c251605b95c346767d87ccb2524e44992048fc657";
      requestedBy = [ "core" ];
    };
    "libctf0" = {
      version = "2.44-3";
      file = "libctf0_2.44-3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/b/binutils/libctf0_2.44-3_amd64.deb";
      sha256 = "120cafcd93132a276fa92a8fb4cf39b23d14e5a3e348f4f5580638d71ca95ac5";
      requestedBy = [ "core" ];
    };
    "libcurl4t64" = {
      version = "8.21.0-2~bpo13+1";
      file = "libcurl4t64_8.21.0-2-bpo13+1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/c/curl/libcurl4t64_8.21.0-2~bpo13+1_amd64.deb";
      sha256 = "a10997ce6600538f1e67db0bf63243e3310884f536085102fc4dd5b4486282dd";
      requestedBy = [ "core" ];
    };
    "libdb5.3t64" = {
      version = "5.3.28+dfsg2-9";
      file = "libdb5.3t64_5.3.28+dfsg2-9_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/d/db5.3/libdb5.3t64_5.3.28+dfsg2-9_amd64.deb";
      sha256 = "18d02510ee78b67e4504ba050176797a200ff24214a7cd318082ab60ad7bf3fc";
      requestedBy = [ "core" ];
    };
    "libedit2" = {
      version = "3.1-20250104-1";
      file = "libedit2_3.1-20250104-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libe/libedit/libedit2_3.1-20250104-1_amd64.deb";
      sha256 = "b002ea172b9c1e34a67bc497c523c67bb74c3f0a4e98113cb083990a1f1d3bfe";
      requestedBy = [ "core" ];
    };
    "libexpat1" = {
      version = "2.9.0-1~deb13u1";
      file = "libexpat1_2.9.0-1-deb13u1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/e/expat/libexpat1_2.9.0-1~deb13u1_amd64.deb";
      sha256 = "feff874772cae904ae4d24e917b35664952bec4b4ae9100a4edda5a7fa746832";
      requestedBy = [ ];
    };
    "libffi8" = {
      version = "3.4.8-2";
      file = "libffi8_3.4.8-2_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libf/libffi/libffi8_3.4.8-2_amd64.deb";
      sha256 = "0ebdc340de33333639c3c63874cd4b15ac2e83dfa1ef3053b7eefaf4919f4f68";
      requestedBy = [ "core" ];
    };
    "libgcc-14-dev" = {
      version = "14.2.0-19";
      file = "libgcc-14-dev_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/libgcc-14-dev_14.2.0-19_amd64.deb";
      sha256 = "ca6f2d36d96b19b3eb71405b0b80134d8c89380b02204a2512e5c58ceb090628";
      requestedBy = [ "core" ];
    };
    "libgcc-s1" = {
      version = "14.2.0-19";
      file = "libgcc-s1_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/libgcc-s1_14.2.0-19_amd64.deb";
      sha256 = "3c71917b490d1a17aed43196a2787a256ecf060526cdb20216a74bedc061b150";
      requestedBy = [ "core" ];
    };
    "libgit2-1.9" = {
      version = "1.9.0+ds-2+deb13u1";
      file = "libgit2-1.9_1.9.0+ds-2+deb13u1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libg/libgit2/libgit2-1.9_1.9.0+ds-2+deb13u1_amd64.deb";
      sha256 = "2fb4b6503fb8f143a8035077b9de99118326ac2b26565779e71c4648e01e75ee";
      requestedBy = [ "core" ];
    };
    "libgmp10" = {
      version = "2:6.3.0+dfsg-3";
      file = "libgmp10_6.3.0+dfsg-3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gmp/libgmp10_6.3.0+dfsg-3_amd64.deb";
      sha256 = "d0d0265eb01770f17afd0f7c8c0622f80479dcfbbe13653a0debeec61464e622";
      requestedBy = [ "core" ];
    };
    "libgomp1" = {
      version = "14.2.0-19";
      file = "libgomp1_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/libgomp1_14.2.0-19_amd64.deb";
      sha256 = "72b7a1a33c48f3195efeb044111b34ae684b1e640bb6495c832443b798601cd5";
      requestedBy = [ "core" ];
    };
    "libgprofng0" = {
      version = "2.44-3";
      file = "libgprofng0_2.44-3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/b/binutils/libgprofng0_2.44-3_amd64.deb";
      sha256 = "0d36d0bde85c467ac6735dded08e19dd30ae1369e3908b9eb48ccc0d6ff66648";
      requestedBy = [ "core" ];
    };
    "libgssapi-krb5-2" = {
      version = "1.21.3-5+deb13u2";
      file = "libgssapi-krb5-2_1.21.3-5+deb13u2_amd64.deb";
      url = "http://deb.debian.org/debian-security/pool/updates/main/k/krb5/libgssapi-krb5-2_1.21.3-5+deb13u2_amd64.deb";
      sha256 = "92e4d11b61d702ae5bcb4293c9af69625ea1cd62aac0d87db9b0344217d749be";
      requestedBy = [ "core" ];
    };
    "libhttp-parser2.9" = {
      version = "2.9.4-6+b2";
      file = "libhttp-parser2.9_2.9.4-6+b2_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/h/http-parser/libhttp-parser2.9_2.9.4-6+b2_amd64.deb";
      sha256 = "eb226fd47bec216a02ca6282ab348a3515d1832c58edf1d71b2b5e7948ef3d03";
      requestedBy = [ "core" ];
    };
    "libhwasan0" = {
      version = "14.2.0-19";
      file = "libhwasan0_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/libhwasan0_14.2.0-19_amd64.deb";
      sha256 = "2cdaf797cad8ac30a964ab081370682dd065ae1b0305a0be9d8e0e14cd0657d7";
      requestedBy = [ "core" ];
    };
    "libidn2-0" = {
      version = "2.3.8-2";
      file = "libidn2-0_2.3.8-2_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libi/libidn2/libidn2-0_2.3.8-2_amd64.deb";
      sha256 = "90b039bcdc4578f8e1c4935adf8dbb525e36a164deefdbbb8c45bac347d48278";
      requestedBy = [ "core" ];
    };
    "libisl23" = {
      version = "0.27-1";
      file = "libisl23_0.27-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/i/isl/libisl23_0.27-1_amd64.deb";
      sha256 = "ac8518042e81c00de1effb72bba7e88ac4ecd488f7ea8b9e3ebc63159cb53b35";
      requestedBy = [ "core" ];
    };
    "libitm1" = {
      version = "14.2.0-19";
      file = "libitm1_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/libitm1_14.2.0-19_amd64.deb";
      sha256 = "febdb3c528cde1a3abe952e17a1d3cfa7ccaca5b6f506d983d34385dad199490";
      requestedBy = [ "core" ];
    };
    "libjansson4" = {
      version = "2.14-2+b3";
      file = "libjansson4_2.14-2+b3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/j/jansson/libjansson4_2.14-2+b3_amd64.deb";
      sha256 = "60707a62fe6c1228c3389b12a13ca4efd76defc5532473e547a29e99cf7d2a6e";
      requestedBy = [ "core" ];
    };
    "libk5crypto3" = {
      version = "1.21.3-5+deb13u2";
      file = "libk5crypto3_1.21.3-5+deb13u2_amd64.deb";
      url = "http://deb.debian.org/debian-security/pool/updates/main/k/krb5/libk5crypto3_1.21.3-5+deb13u2_amd64.deb";
      sha256 = "782e113c8186a413b422ff2bf989874f9a5496002fd6f0ca05bd136eaca4b8b3";
      requestedBy = [ "core" ];
    };
    "libkeyutils1" = {
      version = "1.6.3-6";
      file = "libkeyutils1_1.6.3-6_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/k/keyutils/libkeyutils1_1.6.3-6_amd64.deb";
      sha256 = "0b11ad17be0300b63ad4eeb4c6450fed24d34b7b740f23e5363dcb29ee6d5eba";
      requestedBy = [ "core" ];
    };
    "libkrb5-3" = {
      version = "1.21.3-5+deb13u2";
      file = "libkrb5-3_1.21.3-5+deb13u2_amd64.deb";
      url = "http://deb.debian.org/debian-security/pool/updates/main/k/krb5/libkrb5-3_1.21.3-5+deb13u2_amd64.deb";
      sha256 = "cf58784dc2160fbab7968edbfa8a789c7149b5c81ae2e8300286f98763c4d92d";
      requestedBy = [ "core" ];
    };
    "libkrb5support0" = {
      version = "1.21.3-5+deb13u2";
      file = "libkrb5support0_1.21.3-5+deb13u2_amd64.deb";
      url = "http://deb.debian.org/debian-security/pool/updates/main/k/krb5/libkrb5support0_1.21.3-5+deb13u2_amd64.deb";
      sha256 = "b4e2515f3d5ebda994498cee895d7ba3942ac9182570087acbd1638df2b8acf4";
      requestedBy = [ "core" ];
    };
    "libldap2" = {
      version = "2.6.10+dfsg-1";
      file = "libldap2_2.6.10+dfsg-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/o/openldap/libldap2_2.6.10+dfsg-1_amd64.deb";
      sha256 = "60069e4a550ca890113fa89d3001417781b18e146ec5d637d31e368dec9909bd";
      requestedBy = [ "core" ];
    };
    "libllvm22" = {
      version = "1:22.1.8-1~deb13u5";
      file = "libllvm22_22.1.8-1-deb13u5_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/l/llvm-toolchain-22/libllvm22_22.1.8-1~deb13u5_amd64.deb";
      sha256 = "2b299d0615054df8cf0bd9f99b51bad1c4595ee4fa6cda61c060176f90950566";
      requestedBy = [ "core" ];
    };
    "liblsan0" = {
      version = "14.2.0-19";
      file = "liblsan0_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/liblsan0_14.2.0-19_amd64.deb";
      sha256 = "a0df07da76287a45e665d584363dc2a6a1c4e240aee41b8bbc0f67cdff97cd68";
      requestedBy = [ "core" ];
    };
    "liblzma5" = {
      version = "5.8.1-1+deb13u2";
      file = "liblzma5_5.8.1-1+deb13u2_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/x/xz-utils/liblzma5_5.8.1-1+deb13u2_amd64.deb";
      sha256 = "b38acab30f295bf1066a6632e31cbd0a1980f2924b38040cda131d5dea5384ec";
      requestedBy = [ "core" ];
    };
    "libmbedcrypto16" = {
      version = "3.6.6-0.1~deb13u1";
      file = "libmbedcrypto16_3.6.6-0.1-deb13u1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/m/mbedtls/libmbedcrypto16_3.6.6-0.1~deb13u1_amd64.deb";
      sha256 = "b38baf2ecaca7b28b3005d34b8108ee9b17681426b20662813995e939aea6dfa";
      requestedBy = [ "core" ];
    };
    "libmbedtls21" = {
      version = "3.6.6-0.1~deb13u1";
      file = "libmbedtls21_3.6.6-0.1-deb13u1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/m/mbedtls/libmbedtls21_3.6.6-0.1~deb13u1_amd64.deb";
      sha256 = "9e280505afa5f5aa7034e494e7466c82d8e9af2eb3bf2edf46bab0bd7b62e1ac";
      requestedBy = [ "core" ];
    };
    "libmbedx509-7" = {
      version = "3.6.6-0.1~deb13u1";
      file = "libmbedx509-7_3.6.6-0.1-deb13u1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/m/mbedtls/libmbedx509-7_3.6.6-0.1~deb13u1_amd64.deb";
      sha256 = "e0b6630efcf9eae2e05172496576bc3235be134a6bbf8da4cf3570fba65f65b8";
      requestedBy = [ "core" ];
    };
    "libmd0" = {
      version = "1.1.0-2+b1";
      file = "libmd0_1.1.0-2+b1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libm/libmd/libmd0_1.1.0-2+b1_amd64.deb";
      sha256 = "7244ec3839b61fac0c1884fe08aaa040f26e8f1f35f1f5d3482eacefd30d1b44";
      requestedBy = [ "core" ];
    };
    "libmpc3" = {
      version = "1.3.1-1+b3";
      file = "libmpc3_1.3.1-1+b3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/m/mpclib3/libmpc3_1.3.1-1+b3_amd64.deb";
      sha256 = "2af0a5c128e03694a41c0b011bd8a958b7297436cdb3a15ddad7866dae8c300b";
      requestedBy = [ "core" ];
    };
    "libmpfr6" = {
      version = "4.2.2-1";
      file = "libmpfr6_4.2.2-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/m/mpfr4/libmpfr6_4.2.2-1_amd64.deb";
      sha256 = "75dddce11dabc7fc543712c33dc27b7f2ee66a111763eb5eac654d010b42cd92";
      requestedBy = [ "core" ];
    };
    "libncursesw6" = {
      version = "6.5+20250216-2";
      file = "libncursesw6_6.5+20250216-2_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/n/ncurses/libncursesw6_6.5+20250216-2_amd64.deb";
      sha256 = "47baa2e11579583654583a066b69bd5a5d2f22423081f707ed6c0c3ba6d538b7";
      requestedBy = [ ];
    };
    "libnghttp2-14" = {
      version = "1.64.0-1.1+deb13u2";
      file = "libnghttp2-14_1.64.0-1.1+deb13u2_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/n/nghttp2/libnghttp2-14_1.64.0-1.1+deb13u2_amd64.deb";
      sha256 = "a5c10b427f9dc625754a9f323b07f2a76932a10161888e6e040c8f9448c13f05";
      requestedBy = [ "core" ];
    };
    "libnghttp3-9" = {
      version = "1.15.0-1~bpo13+1";
      file = "libnghttp3-9_1.15.0-1-bpo13+1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/n/nghttp3/libnghttp3-9_1.15.0-1~bpo13+1_amd64.deb";
      sha256 = "fa6e52fa0243e91d936c596d4d65978813a65f292deed67d4beff75362c152ae";
      requestedBy = [ "core" ];
    };
    "libngtcp2-16" = {
      version = "1.22.1-1~bpo13+1";
      file = "libngtcp2-16_1.22.1-1-bpo13+1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/n/ngtcp2/libngtcp2-16_1.22.1-1~bpo13+1_amd64.deb";
      sha256 = "addfa0f3ca11880689ebd2d6f137b2505df39271eadf11ab63027e91887c6d83";
      requestedBy = [ "core" ];
    };
    "libngtcp2-crypto-ossl0" = {
      version = "1.22.1-1~bpo13+1";
      file = "libngtcp2-crypto-ossl0_1.22.1-1-bpo13+1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/n/ngtcp2/libngtcp2-crypto-ossl0_1.22.1-1~bpo13+1_amd64.deb";
      sha256 = "403c292ec7672ff8c36fba1d8dbd35f0e17aec941092533c931513adfc0d0dc9";
      requestedBy = [ "core" ];
    };
    "libpcre2-8-0" = {
      version = "10.46-1~deb13u3";
      file = "libpcre2-8-0_10.46-1-deb13u3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/p/pcre2/libpcre2-8-0_10.46-1~deb13u3_amd64.deb";
      sha256 = "e226f661d918f04daf38cdbc4806b7ed7d6ef95c7eb0ade692fc350e31970040";
      requestedBy = [ "core" ];
    };
    "libpsl5t64" = {
      version = "0.21.2-1.1+b1";
      file = "libpsl5t64_0.21.2-1.1+b1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libp/libpsl/libpsl5t64_0.21.2-1.1+b1_amd64.deb";
      sha256 = "59d42bb1f9ebc0d1776fe616efb08a7a8568b05982e00f70b03c63863db768ab";
      requestedBy = [ "core" ];
    };
    "libpython3.13-minimal" = {
      version = "3.13.5-2+deb13u5";
      file = "libpython3.13-minimal_3.13.5-2+deb13u5_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/p/python3.13/libpython3.13-minimal_3.13.5-2+deb13u5_amd64.deb";
      sha256 = "a4aa6a9a8c77f87bfe545e1d14ec42c001d189ace90e3aa75deec882b39dee49";
      requestedBy = [ ];
    };
    "libpython3.13-stdlib" = {
      version = "3.13.5-2+deb13u5";
      file = "libpython3.13-stdlib_3.13.5-2+deb13u5_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/p/python3.13/libpython3.13-stdlib_3.13.5-2+deb13u5_amd64.deb";
      sha256 = "db161322a3481d2c0c3b9a3b9a03c3ab0e2b1718f54b88755fb4a3f939165b84";
      requestedBy = [ ];
    };
    "libquadmath0" = {
      version = "14.2.0-19";
      file = "libquadmath0_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/libquadmath0_14.2.0-19_amd64.deb";
      sha256 = "f5b51cf0ece3ec3bb7494d0cdbff3ce715ae00cfb2b6ed787f7db91319d64a7b";
      requestedBy = [ "core" ];
    };
    "libreadline8t64" = {
      version = "8.2-6";
      file = "libreadline8t64_8.2-6_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/r/readline/libreadline8t64_8.2-6_amd64.deb";
      sha256 = "eeadf2b5e755c9f183883feea2d9b5b28560284275d5f54d3e55d0923b1d0967";
      requestedBy = [ ];
    };
    "libsasl2-2" = {
      version = "2.1.28+dfsg1-9";
      file = "libsasl2-2_2.1.28+dfsg1-9_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/c/cyrus-sasl2/libsasl2-2_2.1.28+dfsg1-9_amd64.deb";
      sha256 = "66e49d7ae026811b49a0050f18b0325960a2625ffd1ff60d91b7844a815fa9d2";
      requestedBy = [ "core" ];
    };
    "libsasl2-modules-db" = {
      version = "2.1.28+dfsg1-9";
      file = "libsasl2-modules-db_2.1.28+dfsg1-9_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/c/cyrus-sasl2/libsasl2-modules-db_2.1.28+dfsg1-9_amd64.deb";
      sha256 = "a5c38659fbd62c33c6d9bfa2be43e75a572d1818531aad32dd74d0a58cc4bd19";
      requestedBy = [ "core" ];
    };
    "libselinux1" = {
      version = "3.8.1-1";
      file = "libselinux1_3.8.1-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libs/libselinux/libselinux1_3.8.1-1_amd64.deb";
      sha256 = "68bb8d32bd8d6d7d2f5952a169db03d1484b46ae1e52abccdec42a19dccea5d5";
      requestedBy = [ ];
    };
    "libsframe1" = {
      version = "2.44-3";
      file = "libsframe1_2.44-3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/b/binutils/libsframe1_2.44-3_amd64.deb";
      sha256 = "38f625dfdc582717029ac3a3e97c51d994ec2e7a0e9b230c6b44e40d1276311f";
      requestedBy = [ "core" ];
    };
    "libsqlite3-0" = {
      version = "3.46.1-7+deb13u2";
      file = "libsqlite3-0_3.46.1-7+deb13u2_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/s/sqlite3/libsqlite3-0_3.46.1-7+deb13u2_amd64.deb";
      sha256 = "0a459adaffd901109f7811ab65f58e7a957b4907d05539cf3d1184efdcde0468";
      requestedBy = [ "core" ];
    };
    "libssh2-1t64" = {
      version = "1.11.1-1+deb13u2";
      file = "libssh2-1t64_1.11.1-1+deb13u2_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libs/libssh2/libssh2-1t64_1.11.1-1+deb13u2_amd64.deb";
      sha256 = "dbb1024c192d4d292b7cfa902b96076cfe81b56a5eed4fb28da36e8bf543e49a";
      requestedBy = [ "core" ];
    };
    "libssl3t64" = {
      version = "3.5.9-1~deb13u1";
      file = "libssl3t64_3.5.9-1-deb13u1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/o/openssl/libssl3t64_3.5.9-1~deb13u1_amd64.deb";
      sha256 = "ffefb9af363e0e4592251b2533eb06453c8e470f7772e40263c4b2129251a6d5";
      requestedBy = [ "core" ];
    };
    "libstd-rust-1.96" = {
      version = "1.96.1+dfsg1-2~bpo13+1";
      file = "libstd-rust-1.96_1.96.1+dfsg1-2-bpo13+1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/r/rustc/libstd-rust-1.96_1.96.1+dfsg1-2~bpo13+1_amd64.deb";
      sha256 = "672f77948e7db14acd9b331a1f880f6d998106f8ecefd3f03adcf0be5b18017f";
      requestedBy = [ "core" ];
    };
    "libstd-rust-dev" = {
      version = "1.96.1+dfsg1-2~bpo13+1";
      file = "libstd-rust-dev_1.96.1+dfsg1-2-bpo13+1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/r/rustc/libstd-rust-dev_1.96.1+dfsg1-2~bpo13+1_amd64.deb";
      sha256 = "c95ea7cdd8115bf6b577f0d5dfdc329b1469183ac1bf2d1739d8c4333a9f6151";
      requestedBy = [ "core" ];
    };
    "libstdc++6" = {
      version = "14.2.0-19";
      file = "libstdc++6_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/libstdc++6_14.2.0-19_amd64.deb";
      sha256 = "ab1fa05837aa7a92aae748fd07a18a35f7d18bb4a71c4724fe2bbf0e32089de0";
      requestedBy = [ "core" ];
    };
    "libsystemd0" = {
      version = "257.13-1~deb13u1";
      file = "libsystemd0_257.13-1-deb13u1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/s/systemd/libsystemd0_257.13-1~deb13u1_amd64.deb";
      sha256 = "ab0d4127b5e46e6f8c015a1db15a62ba9ae274cdefa150083adf90ada0600ea1";
      requestedBy = [ ];
    };
    "libtinfo6" = {
      version = "6.5+20250216-2";
      file = "libtinfo6_6.5+20250216-2_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/n/ncurses/libtinfo6_6.5+20250216-2_amd64.deb";
      sha256 = "8b9f6a7983e9418564e48a627518de4c03917b56efe68d7f3e93bd8fffa1cc10";
      requestedBy = [ "core" ];
    };
    "libtsan2" = {
      version = "14.2.0-19";
      file = "libtsan2_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/libtsan2_14.2.0-19_amd64.deb";
      sha256 = "529d7f68227d16975076c5f842e8b687faea1b5df8e0dcf62e436d5402844ca5";
      requestedBy = [ "core" ];
    };
    "libubsan1" = {
      version = "14.2.0-19";
      file = "libubsan1_14.2.0-19_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/g/gcc-14/libubsan1_14.2.0-19_amd64.deb";
      sha256 = "9205a1bef7d6a52ffc06548e0cde169ff303e688c12d9be3a98f734449077e22";
      requestedBy = [ "core" ];
    };
    "libunistring5" = {
      version = "1.3-2";
      file = "libunistring5_1.3-2_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libu/libunistring/libunistring5_1.3-2_amd64.deb";
      sha256 = "6dd3490bef06ea1096f32d10766b7e016cf579bfae8451d1b7df15ce05b8aa46";
      requestedBy = [ "core" ];
    };
    "libuuid1" = {
      version = "2.41.5-0+deb13u1";
      file = "libuuid1_2.41.5-0+deb13u1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/u/util-linux/libuuid1_2.41.5-0+deb13u1_amd64.deb";
      sha256 = "c1bf4c4c3ff48c57fabf93307dfb56996b60cfa33927afc4158b5db36fb2721e";
      requestedBy = [ ];
    };
    "libxml2" = {
      version = "2.12.7+dfsg+really2.9.14-2.1+deb13u3";
      file = "libxml2_2.12.7+dfsg+really2.9.14-2.1+deb13u3_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libx/libxml2/libxml2_2.12.7+dfsg+really2.9.14-2.1+deb13u3_amd64.deb";
      sha256 = "e0c6b63ce4602a036a526f60fe5e6c1586710688058d98fc1001b9b3147b7efd";
      requestedBy = [ "core" ];
    };
    "libz3-4" = {
      version = "4.13.3-1";
      file = "libz3-4_4.13.3-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/z/z3/libz3-4_4.13.3-1_amd64.deb";
      sha256 = "71383373523ef62d47eccf660cf6535c3febcbb3f88e54cb7a43124014b57359";
      requestedBy = [ "core" ];
    };
    "libzstd1" = {
      version = "1.5.7+dfsg-1";
      file = "libzstd1_1.5.7+dfsg-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/libz/libzstd/libzstd1_1.5.7+dfsg-1_amd64.deb";
      sha256 = "2f6a2aeacfc925eba8b00ac9139bc4bfccf8cacb09eb93de067074b26948eef9";
      requestedBy = [ "core" ];
    };
    "linux-libc-dev" = {
      version = "7.3.4-1~bpo13+1";
      file = "linux-libc-dev_7.3.4-1-bpo13+1_all.deb";
      url = "http://deb.debian.org/debian/pool/main/l/linux/linux-libc-dev_7.3.4-1~bpo13+1_all.deb";
      sha256 = "b3a4538fca67081c8606a93f37521d0eb74ac75996a02f3321a6b27f978e10a8";
      requestedBy = [ "core" ];
    };
    "mawk" = {
      version = "1.3.4.20250131-1";
      file = "mawk_1.3.4.20250131-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/m/mawk/mawk_1.3.4.20250131-1_amd64.deb";
      sha256 = "ade14470c4dff8921bca6ca8b1ea20eadc0f2178b48caff3c74534b17a633292";
      requestedBy = [ "core" ];
    };
    "media-types" = {
      version = "13.0.0";
      file = "media-types_13.0.0_all.deb";
      url = "http://deb.debian.org/debian/pool/main/m/media-types/media-types_13.0.0_all.deb";
      sha256 = "0788e4b0b72db1bcf74a19cb24c3511e7770ad0b341f0f30e361701c3072f53e";
      requestedBy = [ ];
    };
    "netbase" = {
      version = "6.5";
      file = "netbase_6.5_all.deb";
      url = "http://deb.debian.org/debian/pool/main/n/netbase/netbase_6.5_all.deb";
      sha256 = "76bafa92947ebd37b0a6f9ec6570412041f56edebc1c66d323731216d318471e";
      requestedBy = [ ];
    };
    "openssl-provider-legacy" = {
      version = "3.5.9-1~deb13u1";
      file = "openssl-provider-legacy_3.5.9-1-deb13u1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/o/openssl/openssl-provider-legacy_3.5.9-1~deb13u1_amd64.deb";
      sha256 = "67c70904c8d494b4631e136a6bdb692cbb44515757d63c55e7bd1d2016f9f09f";
      requestedBy = [ "core" ];
    };
    "python3.13-minimal" = {
      version = "3.13.5-2+deb13u5";
      file = "python3.13-minimal_3.13.5-2+deb13u5_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/p/python3.13/python3.13-minimal_3.13.5-2+deb13u5_amd64.deb";
      sha256 = "c1fda9e7b1bf15b2fa75a238d8a8710e142fe14c722fc650c5fc614f078c9073";
      requestedBy = [ ];
    };
    "readline-common" = {
      version = "8.2-6";
      file = "readline-common_8.2-6_all.deb";
      url = "http://deb.debian.org/debian/pool/main/r/readline/readline-common_8.2-6_all.deb";
      sha256 = "f77e8aa0bf0de618f11cb0b21658a4ed60f177d63b3cf26d7fc3706b6d0eaaa9";
      requestedBy = [ ];
    };
    "rpcsvc-proto" = {
      version = "1.4.3-1";
      file = "rpcsvc-proto_1.4.3-1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/r/rpcsvc-proto/rpcsvc-proto_1.4.3-1_amd64.deb";
      sha256 = "32ac0692694f8a34cc90c895f4fc739680fb2ef0e2d4870a68833682bf1c81a3";
      requestedBy = [ "core" ];
    };
    "rust-clippy" = {
      version = "1.96.1+dfsg1-2~bpo13+1";
      file = "rust-clippy_1.96.1+dfsg1-2-bpo13+1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/r/rustc/rust-clippy_1.96.1+dfsg1-2~bpo13+1_amd64.deb";
      sha256 = "267f68143d1357c3c8f7c5c21e150fad06beddadc7afd504c293680976b1aad6";
      requestedBy = [ "core" ];
    };
    "rustc" = {
      version = "1.96.1+dfsg1-2~bpo13+1";
      file = "rustc_1.96.1+dfsg1-2-bpo13+1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/r/rustc/rustc_1.96.1+dfsg1-2~bpo13+1_amd64.deb";
      sha256 = "672ad6bb27e69354cc08c10fc583fabdc9a306af19f967a7dab005de6a21409e";
      requestedBy = [ "core" ];
    };
    "rustfmt" = {
      version = "1.96.1+dfsg1-2~bpo13+1";
      file = "rustfmt_1.96.1+dfsg1-2-bpo13+1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/r/rustc/rustfmt_1.96.1+dfsg1-2~bpo13+1_amd64.deb";
      sha256 = "716ae6433ffac473a5c69ffe6371c98977190946dcfad4c117221f114b2a7b12";
      requestedBy = [ "core" ];
    };
    "tzdata" = {
      version = "2026f-0+deb13u1";
      file = "tzdata_2026f-0+deb13u1_all.deb";
      url = "http://deb.debian.org/debian/pool/main/t/tzdata/tzdata_2026f-0+deb13u1_all.deb";
      sha256 = "2c1c561091402883430d0d47c57a3c0aa00b44afc8a6239265065a87211a5c11";
      requestedBy = [ ];
    };
    "zlib1g" = {
      version = "1:1.3.dfsg+really1.3.1-1+deb13u1";
      file = "zlib1g_1.3.dfsg+really1.3.1-1+deb13u1_amd64.deb";
      url = "http://deb.debian.org/debian/pool/main/z/zlib/zlib1g_1.3.dfsg+really1.3.1-1+deb13u1_amd64.deb";
      sha256 = "8c27c342230503b73dfde629642c3b352e87b554e06d60cf58772f236a305ceb";
      requestedBy = [ "core" ];
    };
  };
}
