#!/usr/bin/env bash
# with-services.sh COMMAND...: runs a command beside a throw-away PostgreSQL and with moto_server at hand, and ends both.
#
#   HOLOTYPE_TEST_POSTGRES   postgres://... of a superuser in which tests make databases of their own
#   HOLOTYPE_MOTO_SERVER     the moto_server program, an S3 stand-in with atomic conditional writes
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d /tmp/holotype-services-XXXXXX)
bin=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1)
# PostgreSQL refuses to run as root.
if [ "$(id -u)" = 0 ]; then
    chown postgres "$folder"
    as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups)
else
    as_postgres=()
fi
stop() {
    "${as_postgres[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap stop EXIT INT TERM

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"${as_postgres[@]}" "$bin/initdb" -D "$folder/data" -U postgres -A trust --no-sync -E UTF8 --locale=C >/dev/null
"${as_postgres[@]}" "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" -o \
    "-p $port -k $folder -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300" start >/dev/null

export HOLOTYPE_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"
HOLOTYPE_MOTO_SERVER="$(scripts/venv.sh tools tests/clients/requirements-tools.txt)/moto_server"
export HOLOTYPE_MOTO_SERVER
"$@"
