# Runs a test cluster until nobody uses it: sh -c watchdog.sh watchdog ROOT SERVER ARGUMENT...
root=$1
shift
"$@" &
server=$!
trap 'kill -QUIT $server; wait $server; exit' TERM INT HUP
while sleep 5 && kill -0 $server; do
    # With the start lock nobody can join; with the use lock, too, nobody has.
    exec 8>"$root/start.lock" 9>"$root/use.lock"
    if flock -n 8 && flock -n 9; then
        rm -f "$root/port"
        kill -QUIT $server
        wait $server
        rm -rf "$root/cluster"
        exit
    fi
    exec 8>&- 9>&-
done
