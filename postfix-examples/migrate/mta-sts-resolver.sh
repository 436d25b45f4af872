#!/bin/sh
# mta-sts-resolver.sh FILE: the MTA-STS policies in the SQLite cache of postfix-mta-sts-resolver, as the
# rows of a Postfix table, on standard output. FILE is db_filename of mta-sts-daemon.yml.
#
# Policies in mode enforce alone, that haven't outlived their max_age. What isn't a plain host name is
# left out: the cache was filled by strangers.
if [ $# -ne 1 ] || [ ! -r "$1" ]; then
  echo "usage: mta-sts-resolver.sh FILE (the cache, readable)" >&2
  exit 2
fi
exec sqlite3 -batch -bail -readonly "$1" "
  SELECT domain || char(9) || 'secure match=' || group_concat(mx, ':') || ' servername=hostname'
  FROM (SELECT domain, ltrim(value, '*') AS mx FROM sts_policy_cache, json_each(pol_body, '\$.mx')
        WHERE json_extract(pol_body, '\$.mode') = 'enforce'
          AND ts + json_extract(pol_body, '\$.max_age') > CAST(strftime('%s', 'now') AS INTEGER)
          AND domain NOT GLOB '*[^-A-Za-z0-9._]*' AND value NOT GLOB '*[^-A-Za-z0-9._*]*'
        ORDER BY domain, mx)
  GROUP BY domain ORDER BY domain"
