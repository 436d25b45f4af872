#!/bin/sh
# mailcow.sh [FILE]: mailcow's TLS policy overrides as a Postfix table, on standard output.
#
# FILE, or standard input: what `mysql --batch --skip-column-names` prints for
#   SELECT dest, policy, parameters, active FROM tls_policy_override
# A line break inside a field comes as the two characters \n there, so a line is always a row.
# Whether a policy is one is left to tlspolicyctl import. Ends with 1 where a line has not four fields,
# or a destination that would be read as something else in a table.
exec awk -F '\t' '
  NF != 4 || $1 == "" || $1 ~ /^#/ || $1 ~ /[[:space:]]/ || $4 !~ /^[01]$/ {
    printf "mailcow.sh: line %d: expected are dest, policy, parameters and active (0 or 1)\n", NR > "/dev/stderr"
    failed = 1
    exit
  }
  $4 == 0 { print "# not active: " $1 " " $2 " " $3; next }
  { print $1 "\t" $2 ($3 == "" || $3 == "NULL" ? "" : " " $3) }
  END { exit failed }
' "$@"
