#!/usr/bin/env bash
# clean-root.sh FOLDER [COMMAND]: the commands of README.md on a machine that has nothing else.
#
# Makes a minimal Debian in FOLDER (once), gives it this machine's Rust toolchain, clones the committed tree into it and
# runs COMMAND there ("make test" unless given). Needs root and debootstrap.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(realpath -m "$1")
command=${2:-make test}

if [ ! -e "$root/etc/debian_version" ]; then
    debootstrap --variant=minbase --include=ca-certificates,git,make bookworm "$root"
fi
mkdir -p "$root/opt/rust"
[ -e "$root/opt/rust/bin/cargo" ] || cp -a "$(rustc --print sysroot)/." "$root/opt/rust/"
# The network as this machine sees it.
cp /etc/resolv.conf /etc/hosts "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"

cleanup() { umount -l "$root/dev" "$root/sys" "$root/proc" 2>/dev/null || true; }
trap cleanup EXIT
mount -t proc proc "$root/proc"
for shared in dev sys; do
    mount --rbind "/$shared" "$root/$shared"
    mount --make-rslave "$root/$shared"
done

rm -rf "$root/src"
git clone --quiet . "$root/src/holotype"
chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 CI=true SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    bash -c "cd /src/holotype && time $command"
