#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Inside the machine: starts the installed sensor, performs each row of /opt/prove, one after the other, and says
# when, so that the judge outside can tell whose an event is. Exits with 42 when it went as it should.
export PATH=/opt/prove:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
umask 022

fail()
{
	echo "$*"
	systemctl status --no-pager --full hinomi-sensor hinomi-forward
	journalctl --no-pager -n 30
	exit 1
}

# perform FILE: one row in a directory and a session of its own
perform()
{
	local name=${1##*/} begin status
	name=${name%.sh}
	mkdir -p "/tmp/prove/$name"
	: > /run/prove.notes
	begin=$(evade now)
	(cd "/tmp/prove/$name" && timeout -k 5 "${HINOMI_ROW_TIMEOUT:-240}" setsid -w bash "$1" < /dev/null) \
		> "/tmp/prove/$name.out" 2>&1
	status=$?
	echo "@@row $name $begin $(evade now) $status"
	sed "s/^/@@note $name /" /run/prove.notes
	[ "$status" -eq 0 ] || sed "s/^/@@out $name /" "/tmp/prove/$name.out" | tail -n 12
}

echo "$(uname -r), up after $(cut -d' ' -f1 /proc/uptime) s"
useradd -m -s /bin/bash mallory && echo 'mallory ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/mallory || fail 'useradd'
sleep 3600 > /dev/null 2>&1 & # it is older than the sensor
echo $! > /run/prove.older
systemd-sysusers && systemd-tmpfiles --create hinomi.conf && systemctl daemon-reload ||
	fail 'what the package ships is refused'
systemctl enable -q --now hinomi-sensor hinomi-forward || fail 'the services do not start'
echo "sensor and forwarder are ready after $(cut -d' ' -f1 /proc/uptime) s"

for row in /opt/prove/rows/*.sh /opt/prove/rows/last/*.sh; do
	[ ! -e "$row" ] || perform "$row"
done
/bin/true prove-end
sleep 1
systemctl stop hinomi-sensor || fail 'the sensor does not stop'
until (exec 3<> "/dev/tcp/10.0.2.2/$(cat /opt/port)") 2> /dev/null; do
	[ "$SECONDS" -lt 1200 ] || fail 'not everything was delivered'
	sleep 0.5
done
echo "done after $(cut -d' ' -f1 /proc/uptime) s"
exit 42
