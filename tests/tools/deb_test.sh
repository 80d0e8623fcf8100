#!/bin/bash
# The packages in build/deb in a fresh Debian root: installed, started by hand as their users, one check answered, upgraded, removed,
# purged. Nothing of them may be left. Needs root (a chroot); the machine's own apt sources are used.
#   ROOT=folder  a minbase root made before (it is copied)    BOOT=1  the units too, under systemd in a container (systemd-nspawn)
set -euo pipefail
cd "$(dirname "$0")/../.."
skip() { printf '跳过 / skipped: %s\n' "$1"; exit 0; }
[ "$(id -u)" -eq 0 ] || skip "make deb-test needs root, for a chroot"
command -v mmdebstrap >/dev/null || skip "make deb-test needs mmdebstrap"

dir=$(mktemp -d "${TMPDIR:-/tmp}/xinbian-deb-XXXXXX")
chmod 0755 "$dir"
root=$dir/root
mounted=()
declare -A pids=()
started=$SECONDS

say() { printf '\n\033[1m%s\033[0m (%d s)\n' "$1" $((SECONDS - started)); }
die() {
	printf '\n失败 / failed: %s\n' "$*" >&2
	[ -z "${pids[branch]:-}" ] || branch --json status >&2 || true
	for log in "$dir"/*.log; do
		[ -f "$log" ] && { printf '%s\n' "--- ${log##*/}" >&2; tail -n 15 "$log" >&2; }
	done
	exit 1
}
stop() { # NAME…: each must end cleanly
	local name
	for name in "$@"; do
		kill "${pids[$name]}"
		wait "${pids[$name]}" || die "$name did not end cleanly"
		unset "pids[$name]"
	done
}
finish() {
	local status=$? pid i
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
	for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do umount "${mounted[i]}" || status=1; done
	mountpoint -q "$root/proc" || rm -rf --one-file-system "$dir"
	exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM

in_root() { chroot "$root" /usr/bin/env -i ${http_proxy:+"http_proxy=$http_proxy"} ${https_proxy:+"https_proxy=$https_proxy"} PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
# As the unit does it: the user and its group, no capabilities, no new privileges.
as_user() { # USER GROUP PROGRAM…
	local user=$1 group=$2
	shift 2
	exec chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
		setpriv --reuid "$user" --regid "$group" --init-groups --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
}
central() { (as_user xinbian-central xinbian-central centralctl "$@"); }
branch() { (as_user xinbian-branch xinbian branchctl "$@"); }
as() { local who=$1; shift; central --token-file "/var/lib/xinbian-central/$who.token" "$@"; }
run() { # NAME USER GROUP PROGRAM…: in the background
	local name=$1
	shift
	as_user "$@" >>"$dir/$name.log" 2>&1 </dev/null &
	pids[$name]=$!
}
start_broker() { run broker xinbian-central xinbian-central mosquitto -c /var/lib/xinbian-central/mosquitto.conf; }
start_central() { run central xinbian-central xinbian-central centrald -c /var/lib/xinbian-central/central.ini; }
start_branch() { run branch xinbian-branch xinbian branchd -c /var/lib/xinbian-branch/branch.ini; }
wait_for() { # SECONDS WHAT COMMAND…
	local until=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || die "$what"
		sleep 0.2
	done
}
free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
take_through() { # ID
	as alice release submit "$1" --force
	as bob release approve "$1"
	as bob release publish "$1"
} >/dev/null
ready() { branch --json status | jq -e '.documents.rules >= 1 and .documents.catalogue >= 1 and ([.lists[] | select(.version >= 1) | .name] | contains(["black-dishonest", "black-fraud", "sanctions"]))'; }
stored_is() { [ "$(central --json decision list | jq '.decisions | length')" -eq "$1" ]; }
apt_get() { in_root apt-get -q -y -o Dpkg::Use-Pty=0 "$@" >>"$dir/apt.log" 2>&1 || die "apt-get $*"; }
# All names with kind, mode and owner, all users and groups. What every package's coming and going leaves is not compared: apt's and dpkg's own
# books, their logs, and the copies that the user database's tools keep.
listing() {
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./tmp -o -path ./var/log -o -path ./var/cache/apt -o -path ./var/lib/apt -o -path ./debs \) -prune \
		-o -printf '%p %y %m %u:%g\n') | grep -vE '^\./(var/lib/dpkg|etc/(passwd|group|shadow|gshadow)-|var/cache/(ldconfig|debconf))' | sort
	for file in passwd group shadow gshadow; do sed "s/^/$file /" "$root/etc/$file"; done | sort
}
ask() { # REQUEST-ID: over HTTPS, a listed number
	curl -sS --fail-with-body --max-time 20 --cacert "$root/var/lib/xinbian-central/ca.pem" -H "Authorization: Bearer $terminal" \
		-H 'Content-Type: application/json' "https://127.0.0.1:$api_port/v1/checks" --data-binary "$(jq -nc --arg id "$1" --arg n "$hit" \
			'{request_id: $id, business: "open_account", subject: {kind: "resident_id", number: $n}, facts: {verified_online: false}}')"
}

debs=(build/deb/xinbian-{branch,central}_*_"$(dpkg --print-architecture)".deb)
if [ ${#debs[@]} -ne 2 ] || [ ! -f "${debs[0]}" ] || [ ! -f "${debs[1]}" ]; then die "expected one package of each in build/deb"; fi

say "一个全新的 Debian / a fresh Debian root"
if [ -n "${ROOT:-}" ]; then
	cp -a "$ROOT" "$root"
else
	tests/tools/apt_here.sh "$dir" || die "no apt sources"
	# shellcheck source=/dev/null
	. /etc/os-release
	mmdebstrap --quiet --mode=root --variant=minbase --aptopt="$dir/apt.conf" "$VERSION_CODENAME" "$root" "$dir/sources.list" \
		>"$dir/root.log" 2>&1 || die "mmdebstrap"
fi
mount -t proc proc "$root/proc"
mounted+=("$root/proc")
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mkdir "$root/debs"
cp "${debs[@]}" "$root/debs/"
# What they depend on comes first, so that the listing afterwards can be compared with this one.
apt_get update
for deb in "${debs[@]}"; do apt_get satisfy --no-install-recommends "$(dpkg-deb -f "$deb" Depends)"; done
listing >"$dir/before"

say "安装 / install"
apt_get install "${debs[@]/#build\/deb//debs}"
for notice in '2 newly installed' 信边市中心尚未初始化 信边网点尚未初始化; do grep -q "$notice" "$dir/apt.log" || die "apt did not say: $notice"; done
for user in xinbian-branch:xinbian xinbian-central:xinbian-central; do
	[ "$(in_root id -gn "${user%%:*}")" = "${user#*:}" ] || die "user $user"
	[ "$(in_root stat -c '%a %U:%G' "/var/lib/${user%%:*}")" = "700 $user" ] || die "directory of $user"
done
for unit in xinbian-branch xinbian-central xinbian-broker; do
	[ -L "$root/etc/systemd/system/multi-user.target.wants/$unit.service" ] || die "$unit.service is not enabled"
done
for program in branchd branchctl centrald centralctl; do
	status=0
	in_root "$program" >/dev/null 2>&1 || status=$?
	[ $status -eq 2 ] || die "$program does not run ($status)"
done

say "以各自用户手动启动 / started by hand, each as its user"
broker_port=$(free_port)
central_port=$(free_port)
api_port=$(free_port)
central init --host 127.0.0.1 --broker-port "$broker_port" --api-port "$central_port"
branch init --listen "127.0.0.1:$api_port"
start_broker
start_central
start_branch
wait_for 20 "centrald does not start" central status
wait_for 20 "branchd does not start" branch status
for who in alice bob; do
	central operator add $who 2>/dev/null | (as_user xinbian-central xinbian-central sh -c "umask 077 && cat >/var/lib/xinbian-central/$who.token")
done
samples=/usr/share/doc/xinbian-central/examples
for what in rules catalogue kinds; do take_through "$(as alice --json document import $what $samples/$what.json | jq .id)"; done
for name in black-fraud black-dishonest sanctions; do take_through "$(as alice --json list import $name $samples/$name.csv | jq .id)"; done
in_root install -o xinbian-branch -g xinbian -m 0600 /var/lib/xinbian-central/ca.pem /var/lib/xinbian-branch/ca.pem
branch enrol --central "127.0.0.1:$central_port" --ca /var/lib/xinbian-branch/ca.pem --san 127.0.0.1 \
	--token "$(as alice --json branch token test-branch | jq -r .token)"
terminal=$(branch --json terminal add kiosk-1 | jq -r .token)
wait_for 60 "rules, catalogue and lists do not reach the branch" ready

say "核查一次 / one check answered"
hit=$(grep -aoE '\b[1-9][0-9]{16}[0-9Xx]\b' central/sample/black-fraud.csv | head -n 1)
answer=$(ask deb-1) || die "the check: $answer"
jq -e '.outcome == "refuse"' <<<"$answer" >/dev/null || die "a listed number was not refused: $answer"
jq -r '"  \(.subject.masked) → \(.outcome_text.zh) (\(.outcome))"' <<<"$answer"
wait_for 30 "the journal does not reach central" stored_is 1

say "升级，状态保留 / upgrade keeps state"
stop branch central broker
newer=$dir/newer
mkdir "$newer"
for deb in "${debs[@]}"; do
	dpkg-deb -R "$deb" "$newer/tree"
	sed -i '/^Version: /s/$/+1/' "$newer/tree/DEBIAN/control"
	dpkg-deb --root-owner-group --build "$newer/tree" "$root/debs/newer-$(dpkg-deb -f "$deb" Package).deb" >/dev/null
	rm -r "$newer/tree"
done
(cd "$root/var/lib" && find xinbian-* -type f -exec sha256sum {} + | sort) >"$dir/state.before"
apt_get install /debs/newer-xinbian-branch.deb /debs/newer-xinbian-central.deb
in_root dpkg-query -W xinbian-branch | grep -qxF "xinbian-branch	$(dpkg-deb -f "${debs[0]}" Version)+1" || die "it was not upgraded"
apt_get install --reinstall /debs/newer-xinbian-branch.deb /debs/newer-xinbian-central.deb
state_kept() { (cd "$root/var/lib" && find xinbian-* -type f -exec sha256sum {} + | sort) | diff "$dir/state.before" - || die "$1 changed the state"; }
state_kept "an upgrade"
start_broker
start_central
start_branch
wait_for 20 "branchd does not start after the upgrade" ready
wait_for 20 "HTTPS does not come back after the upgrade" ask deb-1
[ "$(ask deb-1 | jq -r .decision_id)" = "$(jq -r .decision_id <<<"$answer")" ] || die "the stored answer was not given again"
ask deb-2 | jq -e '.outcome == "refuse"' >/dev/null || die "the check after the upgrade"
wait_for 60 "the journal does not reach central after the upgrade" stored_is 2
branch journal verify
stop branch central broker

say "卸载保留状态，彻底清除不留一物 / remove keeps state, purge leaves nothing"
(cd "$root/var/lib" && find xinbian-* -type f -exec sha256sum {} + | sort) >"$dir/state.before"
apt_get remove xinbian-branch xinbian-central
state_kept "a removal"
[ ! -e "$root/usr/sbin/branchd" ] || die "branchd is still there"
apt_get purge xinbian-branch xinbian-central
listing >"$dir/after"
diff "$dir/before" "$dir/after" || die "the purge has left something (above)"
in_root dpkg-query -W 'xinbian-*' 2>/dev/null && die "dpkg still knows them"

inside() { nsenter -t "$leader" -m -p -i -u -C -r -w /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
unit_is() { [ "$(inside systemctl show -P "$2" "$1")" = "$3" ]; } # UNIT PROPERTY VALUE
broker_reached() { inside journalctl -u xinbian-central | grep -q 'the broker is reached'; }
boot_units() {
	local unit broker
	apt_get install --no-install-recommends systemd-sysv "${debs[@]/#build\/deb//debs}"
	rm "$root/usr/sbin/policy-rc.d"
	in_root systemctl --quiet mask mosquitto.service systemd-sysctl.service systemd-modules-load.service
	umount "$root/proc"
	mounted=()
	central init --host 127.0.0.1 --broker-port "$(free_port)" --api-port "$(free_port)"
	branch init --listen "127.0.0.1:$(free_port)"
	systemd-nspawn -q -D "$root" --boot --register=no --keep-unit --console=pipe \
		--system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self" >"$dir/boot.log" 2>&1 </dev/null &
	pids[boot]=$!
	wait_for 20 "the container does not start" pgrep -P "${pids[boot]}"
	leader=$(pgrep -P "${pids[boot]}" | head -n 1)
	for unit in xinbian-branch xinbian-central xinbian-broker; do wait_for 60 "$unit.service does not run" unit_is $unit ActiveState active; done
	wait_for 30 "centrald does not reach the broker" broker_reached
	inside systemctl kill --signal=KILL --kill-who=main xinbian-branch
	wait_for 30 "branchd is not started again" unit_is xinbian-branch NRestarts 1
	wait_for 30 "branchd does not run again" unit_is xinbian-branch ActiveState active
	inside systemctl reload xinbian-broker
	broker=$(inside systemctl show -P MainPID xinbian-broker)
	in_view() { inside nsenter -t "$broker" -m setpriv --reuid xinbian-central --regid xinbian-central --clear-groups "$@" 2>/dev/null; }
	in_view head -c 1 /var/lib/xinbian-central/broker.key >/dev/null || die "the broker cannot read its key"
	if in_view head -c 1 /var/lib/xinbian-central/head.key >/dev/null; then die "the broker can read head.key"; fi
	if in_view touch /var/lib/xinbian-central/broker.wrote; then die "the broker can write central's directory"; fi
	stop boot
}
if [ -n "${BOOT:-}" ]; then
	say "由 systemd 启动 / started by systemd"
	if command -v systemd-nspawn >/dev/null; then boot_units; else echo "  跳过 / skipped: BOOT=1 needs systemd-nspawn (package systemd-container)"; fi
fi

say "全部正常 / everything was as it should be"
