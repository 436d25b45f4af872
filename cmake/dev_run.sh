# Part of ./dev: `./dev run`, a daemon in the foreground that a newcomer can ask. Sourced, never run.
# shellcheck shell=bash

readonly CONF=var/tlspolicyd.conf BIN=build/release/bin

ctl() { "$BIN/tlspolicyctl" --config "$CONF" "$@"; }

write_config() {
  cat >"$CONF" <<END
# What ./dev run serves. Edit it as you like: it is written only where it is missing.

# The admin's database: \`sqlite3 $ROOT/var/policy.db\` or tlspolicyctl; edits are live at once.
policy_db = $ROOT/var/policy.db
# The last known good policy, from which the daemon answers even without the database.
image_file = $ROOT/var/policy.image
# What the daemon learns of destinations, and every decision it makes about them.
state_db = $ROOT/var/state.db
# Where tlspolicyctl reaches the daemon.
control_socket = $ROOT/var/control.sock

# Where Postfix asks for TLS policies. In real use a unix socket belongs below /var/spool/postfix.
tlsmap_listen = inet:127.0.0.1:8460, unix:$ROOT/var/tlsmap.sock
# Where Postfix asks about incoming mail (check_policy_service). Every answer is DUNNO until a rule exists.
policyd_listen = unix:$ROOT/var/policyd.sock

# The oldest Postfix that asks map \`policy\`.
postfix_version = 3.4
# enforce, or observe: answer as if there were no rows.
mode = enforce
log_level = info
END
}

write_examples() {
  ctl set bank.example required --owner postmaster --reason 'contract: TLS or no mail'
  ctl set .bank.example required --reason 'the same for everything below it'
  ctl set partner.example secure --match mx.hosting.example --reason 'certificate must name their host'
  ctl set '[relay.example]:587' verified --reason 'our smarthost gets a password'
  ctl set old.example off --reason 'their TLS is broken, see the ticket'
  ctl set club.example preferred --mode observe --reason 'looking before it counts'
}

prepare_var() {
  ((${#ROOT} < 90)) || die "$ROOT is too long a path for unix sockets below it; clone to a shorter one"
  mkdir -p var
  [[ -e $CONF ]] || write_config
  if [[ -e var/policy.db ]]; then
    say "var/policy.db is kept as it is"
  else
    say "making var/policy.db with a few example rows"
    ctl init >/dev/null
    write_examples >/dev/null
  fi
  ctl list
}

# Asks as Postfix does; the answer goes to stdout, trouble to stderr.
ask() {
  local map="socketmap:inet:$1:policy" conf=()
  if command -v postmap >/dev/null; then
    if [[ ! -r /etc/postfix/main.cf ]]; then
      # A Postfix without an instance of its own: one empty main.cf is all postmap wants.
      mkdir -p var/postfix
      echo 'compatibility_level = 3.6' >var/postfix/main.cf
      conf=(-c "$ROOT/var/postfix")
    fi
    postmap "${conf[@]}" -q bank.example "$map"
  else
    ctl query bank.example
  fi
}

# The answer, once there is one. Empty: not found, which is an answer too.
wait_for_answer() {
  local address=$1 daemon=$2 deadline=$((SECONDS + 15)) trouble=var/question.log
  while ((SECONDS < deadline)) && kill -0 "$daemon" 2>/dev/null; do
    if ask "$address" 2>"$trouble" || [[ ! -s $trouble ]]; then
      rm -f "$trouble"
      return 0
    fi
    sleep 0.1
  done
  cat "$trouble" >&2
  return 1
}

show_answer() {
  local address=$1 answer=$2 asked="postmap -q bank.example socketmap:inet:$1:policy"
  command -v postmap >/dev/null || asked="tlspolicyctl query bank.example   (no Postfix here to ask with)"
  say "asked:    $asked"
  echo "   answered: ${answer:-(not found: main.cf decides)}"
  cat <<END

   For main.cf:

      smtp_tls_policy_maps = socketmap:inet:$address:policy
      smtp_tls_security_level = may

   (The second line is what holds where the first finds nothing.)
   Change a row and ask again:  $BIN/tlspolicyctl --config $CONF set bank.example verified
   Why is an answer as it is:   $BIN/tlspolicyctl --config $CONF explain bank.example

== serving on $address and var/tlsmap.sock; Ctrl-C ends it
END
}

# Waits for the daemon, and passes on what tells us to stop. Its exit status is ours.
serve_until_told() {
  local daemon=$1 status=0 signalled=1
  while [[ -n $signalled ]]; do
    signalled=
    status=0
    wait "$daemon" || status=$?
  done
  return "$status"
}

cmd_run() {
  local address daemon answer
  setup build
  build release tlspolicyd tlspolicyctl
  prepare_var
  address=$(sed -nE 's/^tlsmap_listen *=.*inet:([0-9.]+:[0-9]+).*/\1/p' "$CONF")
  [[ -n $address ]] || die "$CONF has no tlsmap_listen with inet:ADDRESS:PORT to ask"
  if (exec 3<>"/dev/tcp/${address%:*}/${address##*:}") 2>/dev/null; then
    die "$address is taken, perhaps by another ./dev run; end that, or change tlsmap_listen in $CONF"
  fi
  # The daemon goes when this script goes, however it goes.
  setpriv --pdeathsig TERM "$BIN/tlspolicyd" --config "$CONF" &
  daemon=$!
  trap 'signalled=1; kill -TERM "$daemon" 2>/dev/null || :' INT TERM HUP # it may be gone by now
  if ! answer=$(wait_for_answer "$address" "$daemon"); then
    kill -TERM "$daemon" 2>/dev/null || wait "$daemon" || die "the daemon ended with status $?"
    wait "$daemon" || true
    die "the daemon gave no answer"
  fi
  show_answer "$address" "$answer"
  serve_until_told "$daemon"
}
