# The one Debian package the substrate starts from. Offset and length are those
# of the member data.tar.xz inside this very file: change all four together.
# `tar -tJ` of that member must list ./usr as its only entry (seed.nix says why).
{
  file = "busybox-static_1.37.0-6+b9_amd64.deb";
  url = "http://deb.debian.org/debian/pool/main/b/busybox/busybox-static_1.37.0-6+b9_amd64.deb";
  sha256 = "598a3fd92bdafc34cd81196b2952ad36e910e47a4ecf162f8ce5e8e262598e53";
  offset = 1792;
  length = 953524;
}
