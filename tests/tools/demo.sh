#!/bin/bash
# The main job, end to end, on this machine and without root: broker, centrald and one branchd on free ports of 127.0.0.1 in a
# directory of their own. Exits non-zero as soon as anything is not as it should be.
#   LIST=file  import this list (our CSV, or the US OFAC's SDN.CSV) instead of the sample    KEEP=1  leave everything running
set -euo pipefail
bin=$(cd "$XINBIAN_BIN" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
list=${LIST:-$root/central/sample/black-fraud.csv}
keep=${KEEP:-}
dir=$(mktemp -d "${TMPDIR:-/tmp}/xinbian-demo-XXXXXX")
pids=()
broker_pid=""

say() { printf '\n\033[1m%s\033[0m\n' "$1"; [ -z "${2:-}" ] || printf '%s\n' "$2"; }
die() {
	printf '\n演示失败 / the demo failed: %s\n' "$*" >&2
	for log in "$dir"/*.log; do
		[ -f "$log" ] && { printf '%s\n' "--- ${log##*/}" >&2; tail -n 15 "$log" >&2; }
	done
	exit 1
}
stop_all() {
	for pid in "${pids[@]}" $broker_pid; do kill "$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}" $broker_pid; do wait "$pid" 2>/dev/null || true; done
	rm -rf "$dir"
}
finish() {
	status=$?
	if [ -n "$keep" ] && [ $status -eq 0 ]; then return; fi
	stop_all
	exit $status
}
trap finish EXIT
trap 'exit 130' INT TERM

free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
central() { "$bin/centralctl" -d "$dir/central" "$@"; }
as() { local who=$1; shift; central --token-file "$dir/$who.token" "$@"; }
branch() { "$bin/branchctl" -d "$dir/branch" "$@"; }
run() { # LOG PROGRAM…: in the background, its pid in $started
	local log=$1; shift
	"$@" >>"$dir/$log.log" 2>&1 </dev/null &
	started=$!
}
wait_for() { # SECONDS WHAT COMMAND…
	local until=$((SECONDS + $1)) what=$2; shift 2
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || die "$what"
		sleep 0.1
	done
}
broker_start() {
	local mosquitto
	mosquitto=$(command -v mosquitto || echo /usr/sbin/mosquitto)
	run broker "$mosquitto" -c "$dir/central/mosquitto.conf"
	broker_pid=$started
}
take_through() { # ID: submitted by alice, approved and published by bob
	as alice release submit "$1" --force
	as bob release approve "$1"
	as bob release publish "$1"
}
# CHECK-ID KIND NUMBER [FACTS]: asks over HTTPS, prints the answer in one line, leaves it in $answer
check() {
	local body
	body=$(jq -nc --arg id "$1" --arg kind "$2" --arg number "$3" --argjson facts "${4:-null}" \
		'{request_id: $id, business: "open_account", subject: {kind: $kind, number: $number}} + (if $facts then {facts: $facts} else {} end)')
	answer=$(curl -sS --fail-with-body --max-time 20 --cacert "$dir/central/ca.pem" -H "Authorization: Bearer $terminal" \
		-H 'Content-Type: application/json' --data-binary "$body" "https://127.0.0.1:$api_port/v1/checks") || die "check $1: $answer"
	jq -r '"  \(.subject.masked) → \(.outcome_text.zh) (\(.outcome))：\([.reasons[] | .text.zh // .code] | join("；"))"' <<<"$answer"
}
expect() { # JQ-EXPRESSION WHAT
	jq -e "$1" <<<"$answer" >/dev/null || die "$2: $answer"
}
listed_version() { branch --json status | jq -e --arg n "$name" --argjson v "$version" '.lists[] | select(.name == $n) | .version == $v'; }
central_knows() { central --json branch list | jq -e --arg n "$name" --argjson v "$version" '.branches[0].lists[] | select(.name == $n) | .version == $v'; }
stored() { central --json decision list --limit 1000 | jq '.decisions | length'; }
stored_is() { [ "$(stored)" -eq "$1" ]; }
ready() { branch --json status | jq -e '.documents.rules >= 1 and .documents.catalogue >= 1'; }

[ -r "$list" ] || die "cannot read the list $list"
if head -c 4096 "$list" | grep -aqE '^(\xef\xbb\xbf)?("?kind|"?证件类型)' || head -n 1 "$list" | grep -aq 'number\|证件号码'; then
	name=black-fraud
	hit_kind=resident_id
	hit=$(grep -aoE '\b[1-9][0-9]{16}[0-9Xx]\b' "$list" | head -n 1 || true)
else
	name=sanctions
	hit_kind=resident_id
	hit=$(grep -aoE 'National ID No\. [1-9][0-9]{16}[0-9X] \(China\)' "$list" | head -n 1 | grep -oE '[0-9]{17}[0-9X]' || true)
fi
[ -n "$hit" ] || die "the list has no 18-digit resident ID to ask for"
clear=11010519491231002X # the specimen number of GB 11643

say "1. 建立市中心：根证书、签名密钥、代理配置" "Central: a CA made on the spot, signing keys, the broker's configuration"
broker_port=$(free_port)
central_port=$(free_port)
api_port=$(free_port)
central init --host 127.0.0.1 --broker-port "$broker_port" --api-port "$central_port"
broker_start
run central "$bin/centrald" -c "$dir/central/central.ini"
pids+=("$started")
wait_for 20 "centrald does not start" central status
for who in alice bob; do (umask 077 && central operator add "$who" >"$dir/$who.token" 2>/dev/null); done
echo "  mosquitto 127.0.0.1:$broker_port (双向 TLS / mutual TLS), centrald 127.0.0.1:$central_port, 操作员 / operators alice, bob"

say "2. 发布样例规则与名单目录；导入名单 ${list##*/}" "Publish the sample rules and catalogue; import the list"
for what in rules catalogue kinds; do
	take_through "$(as alice --json document import $what "$root/central/sample/$what.json" | jq .id)"
done
# A check asks every list of the catalogue that covers the document, so a branch must hold them all.
for other in black-fraud black-dishonest sanctions; do
	[ $other = $name ] || take_through "$(as alice --json list import $other "$root/central/sample/$other.csv" | jq .id)"
done
draft=$(as alice --json list import "$name" "$list" --rejects "$dir/rejects.csv")
jq -r '"  \(.rows) 行 rows：条目 entries \(.imported)，退回 rejected \(.rejects)，重复 duplicates \(.duplicates)，忽略 ignored \(.ignored)"' <<<"$draft"
id=$(jq .id <<<"$draft")
central release diff "$id" --limit 3
if as alice release approve "$id" 2>/dev/null; then die "alice could approve her own draft"; fi
as alice release submit "$id" --force
if as alice release approve "$id" 2>"$dir/refused"; then die "alice could approve what she submitted"; fi
echo "  自己批准自己的草稿被拒绝 / approving one's own draft is refused: $(cat "$dir/refused")"
as bob release approve "$id"
version=$(as bob --json release publish "$id" | jq .version)

printf '{"code":"11330800SAMPLE0001","name":{"zh":"示例政务局","en":"Sample bureau"},"kinds":["*"]}' >"$dir/issuer.json"
as alice issuer add "$dir/issuer.json"
as alice issuer rotate 11330800SAMPLE0001
take_through "$(as alice --json issuer publish | jq .release)"

say "3. 网点设备注册：一次性令牌换取证书" "The branch enrols: a one-time token for a certificate"
branch init --listen "127.0.0.1:$api_port"
run branch "$bin/branchd" -c "$dir/branch/branch.ini"
pids+=("$started")
wait_for 20 "branchd does not start" branch status
token=$(as alice --json branch token demo-branch | jq -r .token)
branch enrol --central "127.0.0.1:$central_port" --ca "$dir/central/ca.pem" --token "$token" --san 127.0.0.1
if branch enrol --central "127.0.0.1:$central_port" --ca "$dir/central/ca.pem" --token "$token" >/dev/null 2>&1; then
	die "the one-time token worked twice"
fi
terminal=$(branch --json terminal add kiosk-1 | jq -r .token)
wait_for 30 "the branch gets no rules and catalogue" ready
wait_for 60 "the list does not reach the branch" listed_version
wait_for 30 "central does not hear what the branch applied" central_knows
branch list show

say "4. 联网核查" "Checks with the line up, over HTTPS"
check demo-1 "$hit_kind" "$hit"
expect '.outcome == "refuse" or .outcome == "refer"' "a listed number was not stopped"
expect '[.lists[] | select(.result == "hit")] | length > 0' "the listed number was not hit"
first=$(jq -c '{outcome, reasons}' <<<"$answer")
check demo-2 resident_id "$clear"
expect '.outcome == "enhanced" and .follow_up' "a number that nobody verified online is not ENHANCED with a follow-up"
second=$(jq -c '{outcome, reasons}' <<<"$answer")
check demo-3 resident_id "$clear" '{"verified_online": true, "phone_match": true}'
expect '.outcome == "pass"' "an unlisted, verified number does not pass"
check demo-4 resident_id 110105194912310021
expect '.outcome == "refer" and .subject.masked != null' "a wrong check digit is not referred"
wait_for 30 "the journal does not reach central" stored_is 4

say "电子证照：中心颁发，二维码，网点核验" "An e-certificate: issued at central, drawn as a QR code, verified at the branch"
printf '{"issuer":"11330800SAMPLE0001","kind":"11330000SAMPLE0000X001","number":"示例第1号","holder":{"kind":"resident_id","number":"%s","name":"示例甲"}}' \
	"$clear" >"$dir/certificate.json"
certificate=$(as alice --json certificate issue "$dir/certificate.json" | jq -r .id)
as alice certificate export "$certificate" --png "$dir/certificate.png"
scan() { branch --json scan "$dir/certificate.png" --business open_account --holder "$1" || true; }
scan_is() { # CODE HOLDER
	answer=$(scan "${2:-$clear}")
	[ "$(jq -r .code <<<"$answer")" = "$1" ]
}
ready_certificates() { branch --json status | jq -e '.documents.issuers >= 1 and .documents.kinds >= 1'; }
wait_for 30 "issuers and kinds do not reach the branch" ready_certificates
wait_for 30 "the certificate is not accepted" scan_is ACCEPTED
branch scan "$dir/certificate.png" --business open_account --holder "$clear"
scan_is HOLDER_MISMATCH 330802185001010013 || die "another customer's certificate was not told: $answer"
echo "  换一位客户：拒绝 / another customer: $(jq -r '.text.zh' <<<"$answer")"

say "5. 停掉代理：断网" "The broker stops: the line is down"
kill "$broker_pid"
wait "$broker_pid" 2>/dev/null || true
broker_pid=""
check demo-5 "$hit_kind" "$hit"
[ "$(jq -c '{outcome, reasons}' <<<"$answer")" = "$first" ] || die "the same check answers otherwise offline: $answer"
check demo-6 resident_id "$clear"
[ "$(jq -c '{outcome, reasons}' <<<"$answer")" = "$second" ] || die "the same check answers otherwise offline: $answer"
check demo-5 "$hit_kind" "$hit"
decision=$(jq -r .decision_id <<<"$answer")
scan_is ACCEPTED || die "the certificate is not accepted offline: $answer"
as alice certificate revoke "$certificate" --reason lost >/dev/null
echo "  断网时证照照常核验；此时中心已吊销，网点尚不知道 / verified offline too; central has revoked it meanwhile, which the branch cannot know"
stored_is 4 || die "central has rows that it cannot have"
echo "  断网时照常答复；市中心仍只有 4 条 / answered all the same; central still has 4 decisions"

say "6. 代理恢复：留痕补传" "The broker is back: the journal catches up"
broker_start
wait_for 60 "the journal does not reach central after the broker came back" stored_is 6
central decision list --limit 10
central --json decision show "$decision" | jq -e '.outcome' >/dev/null || die "central does not find decision $decision"
branch journal verify
wait_for 60 "the revocation does not reach the branch" scan_is REVOKED
echo "  恢复联网，网点得知吊销 / the line is back, and the branch knows: $(jq -r '.text.zh' <<<"$answer")"
central certificate uses
wait_for 60 "the branch does not see a head again" central_knows
central branch list

if [ -n "$keep" ]; then
	say "全部正常，保持运行" "Everything is as it should be and left running"
	cat <<-END
		  网点接口 branch API   API=https://127.0.0.1:$api_port CA=$dir/central/ca.pem TOKEN=$terminal
		  市中心 central        $bin/centralctl -d $dir/central …   (令牌 tokens: $dir/alice.token, $dir/bob.token)
		  网点 branch           $bin/branchctl -d $dir/branch …
		  停止 stop             kill ${pids[*]} $broker_pid && rm -r $dir
	END
	trap - EXIT
	exit 0
fi
say "7. 停止" "Stopping"
for pid in "${pids[@]}"; do
	kill "$pid"
	wait "$pid" || die "a daemon did not end cleanly (pid $pid)"
done
pids=()
say "演示完成，全部正常" "The demo is done; everything was as it should be"
