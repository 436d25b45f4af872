#include "src/show/page_style.h"

#include <fmt/format.h>

#include "src/base/sha256.h"
#include "src/base/text.h"

namespace show {
namespace {

// Colour says how a thing stands and nothing else, and never alone. Every pair of text and ground
// has a contrast of 4.5:1 or more, shapes 3:1; a test measures both schemes.
constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark;
  --page: #f4f5f7; --sheet: #ffffff; --ink: #1b1f24; --quiet: #57606a; --line: #d8dde3; --link: #0b5cad;
  --good: #14633c; --good-wash: #e7f4ec; --warn: #7a4f00; --warn-wash: #fdf2da;
  --bad: #a11a14; --bad-wash: #fcebe9;
  --authenticated: #14633c; --encrypted: #4b9973; --unknown: #848d97; --clear: #c27803; --deferred: #b3261e; }
@media (prefers-color-scheme: dark) { :root {
  --page: #0f1216; --sheet: #171b20; --ink: #e6e9ed; --quiet: #9fa9b4; --line: #2c333b; --link: #7db7f5;
  --good: #7fd8a6; --good-wash: #13261c; --warn: #f0bd62; --warn-wash: #2a2212;
  --bad: #ff9d94; --bad-wash: #311917;
  --authenticated: #8fe0b4; --encrypted: #43946d; --unknown: #727c87; --clear: #e0a030; --deferred: #ef6a60; } }
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; }
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.5rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1rem; padding-top: 1.5rem; }
h1 { margin: 0; font-size: 1.25rem; line-height: 1.75rem; }
h2 { margin: 0 0 .75rem; font-size: 1.0625rem; line-height: 1.5rem; }
h3 { margin: 1.5rem 0 .5rem; font-size: .9375rem; line-height: 1.5rem; }
p { margin: 0; max-width: 46rem; }
small { display: block; font-size: .8125rem; line-height: 1.25rem; font-weight: 400; color: var(--quiet); }
a { color: var(--link); }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 3px; border-radius: 2px; }
.quiet, .empty, figcaption { color: var(--quiet); }
.quiet, figcaption { font-size: .8125rem; line-height: 1.25rem; }
header .quiet { font-size: .875rem; }
.unseen { position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; border: 0; }
.bad { color: var(--bad); font-weight: 600; }
.warn { color: var(--warn); font-weight: 600; }
section { margin: 1rem 0; padding: 1.25rem 1.5rem; background: var(--sheet);
  border: 1px solid var(--line); border-radius: .625rem; }
section > .quiet { margin-top: .75rem; }

.verdict { display: grid; grid-template-columns: auto 1fr; gap: 0 1rem; border-color: transparent; }
.verdict svg { width: 2rem; height: 2rem; fill: none; stroke: currentColor; stroke-width: 2;
  stroke-linecap: round; stroke-linejoin: round; }
.verdict h2 { margin: 0; font-size: 1.375rem; line-height: 2rem; }
.verdict ul { margin: .5rem 0 0; padding: 0 0 0 1.125rem; max-width: 46rem; }
.verdict li { margin: .375rem 0; }
.verdict .quiet { color: inherit; }
.verdict .quiet, .verdict .besides { margin-top: .5rem; }
.verdict.well { background: var(--good-wash); border-color: var(--good); }
.verdict.exceptions { background: var(--warn-wash); border-color: var(--warn); }
.verdict.trouble { background: var(--bad-wash); border-color: var(--bad); }
.well h2, .well svg { color: var(--good); }
.exceptions h2, .exceptions svg { color: var(--warn); }
.trouble h2, .trouble svg { color: var(--bad); }

dl { margin: 0; }
dt { color: var(--quiet); font-size: .8125rem; line-height: 1.25rem; }
dd { margin: 0; }
.figures { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 1rem 1.5rem; }
.figures dd { font-size: 1.25rem; line-height: 1.75rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts { align-content: start; display: grid; grid-template-columns: max-content 1fr; gap: .375rem 1.5rem; }
.facts dt, .facts dd { font-size: .9375rem; line-height: 1.5rem; }
.halves { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1.5rem 3rem; }
.halves h3:first-child { margin-top: 0; }

table { width: 100%; border-collapse: collapse; font-size: .9375rem; font-variant-numeric: tabular-nums; }
th, td { padding: .5rem 1.25rem .5rem 0; text-align: left; vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
tbody th { font-weight: 600; }
thead th { padding-top: 0; font-size: .8125rem; line-height: 1.25rem; font-weight: 400; color: var(--quiet);
  white-space: nowrap; }
tr { border-bottom: 1px solid var(--line); }
tbody tr:last-child { border-bottom: 0; }
tbody tr:last-child > * { padding-bottom: 0; }
th.number, td.number { text-align: right; min-width: 4.5rem; }
.halves .number { min-width: 0; padding-right: .875rem; white-space: nowrap; }
.halves .number:last-child { padding-right: 0; }
.prose { min-width: 13rem; }
.word { min-width: 8rem; }
.compact .word { min-width: 5rem; }
.compact .number { min-width: 3rem; }
time { white-space: nowrap; }

.traffic { display: grid; grid-template-columns: minmax(0, 1fr) 21rem; gap: 1.5rem 2.5rem; align-items: start; }
figure { margin: 0; }
figcaption { margin-top: .5rem; }
.plot { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .25rem .75rem; padding-top: .625rem; }
.plot svg { display: block; width: 100%; height: 17rem; overflow: visible; }
.scale { display: flex; flex-direction: column; justify-content: space-between; margin: -.625rem 0; text-align: right; }
.scale, .hours { font-size: .75rem; line-height: 1.25rem; color: var(--quiet); font-variant-numeric: tabular-nums; }
.hours { grid-column: 2; display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr);
  white-space: nowrap; min-height: 1.25rem; }
.grid { fill: none; stroke: var(--line); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.plot rect { stroke: var(--sheet); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.authenticated { fill: var(--authenticated); background: var(--authenticated); }
.encrypted { fill: var(--encrypted); background: var(--encrypted); }
.unknown { fill: var(--unknown); background: var(--unknown); }
.clear { fill: var(--clear); background: var(--clear); }
.deferred { fill: var(--deferred); background: var(--deferred); }
.key { display: inline-block; width: .75rem; height: .75rem; margin-right: .5rem; border-radius: 2px; }
.key ~ small { padding-left: 1.25rem; }
.traffic table { font-size: .875rem; }
details { margin-top: 1rem; }
summary { cursor: pointer; color: var(--link); font-size: .9375rem; }
details table { margin-top: .75rem; }
footer { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; padding-top: .5rem; padding-bottom: 2rem;
  font-size: .8125rem; color: var(--quiet); }

@media (max-width: 72rem) { .halves { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 64rem) {
  .traffic { grid-template-columns: minmax(0, 1fr); }
  .figures { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .hours .odd { visibility: hidden; }
  .plot svg { height: 11rem; }
  .blocks, .blocks caption, .blocks tbody, .blocks th, .blocks td { display: block; }
  .blocks tbody tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 2rem; align-items: start; }
  .blocks thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .blocks tbody tr { padding: .75rem 0; }
  .blocks tbody tr:first-child { padding-top: 0; }
  .blocks tbody tr:last-child { padding-bottom: 0; }
  .blocks tbody th, .blocks tbody td { padding: 0; min-width: 0; text-align: left; white-space: normal; }
  .halves .number { padding-right: 0; white-space: normal; }
  .blocks tbody th { grid-column: 1 / -1; margin-bottom: .25rem; }
  .blocks tbody td { display: grid; grid-template-columns: 7rem minmax(0, 1fr); gap: 0 .75rem; padding: .125rem 0; }
  .blocks td > * { grid-column: 2; }
  .blocks td::before { content: attr(data-name); content: attr(data-name) / ""; grid-column: 1; grid-row: 1;
    color: var(--quiet); font-size: .8125rem; line-height: 1.5rem; }
  .blocks td:empty { display: none; }
}
@media (max-width: 40rem) {
  header, main, footer { padding-left: 1rem; padding-right: 1rem; }
  section { padding: 1rem; }
  h1 { font-size: 1.125rem; }
  .blocks tbody tr { display: flex; flex-wrap: wrap; gap: 0 1rem; }
  .blocks tbody th, .blocks tbody td { flex: 0 0 100%; }
  .blocks tbody td.number { flex: 0 0 auto; min-width: calc(50% - .5rem); max-width: 100%;
    grid-template-columns: auto minmax(0, 1fr); gap: 0 .5rem; }

  .compact th, .compact td { padding-right: .75rem; }
  .compact thead th { white-space: normal; }
  .verdict { gap: 0 .75rem; }
  .verdict h2 { font-size: 1.1875rem; }
  .verdict svg { width: 1.75rem; height: 1.75rem; margin-top: .125rem; }
  .figures { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .5rem; }
}
)";

std::string base64_of_hex(std::string_view hex) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  unsigned pending = 0;
  unsigned bits = 0;
  const auto take = [&] {
    bits -= 6;
    text += kLetters[(pending >> bits) & 63U];
  };
  for (const char c : hex) {
    pending = (pending << 4U) | static_cast<unsigned>(kDigits.find(c) & 15U);
    bits += 4;
    if (bits >= 6) take();
  }
  if (bits > 0) {
    pending <<= 6 - bits;
    bits = 6;
    take();
  }
  while (text.size() % 4 != 0) text += '=';
  return text;
}

}  // namespace

std::string_view page_style() {
  return kStyle;
}

std::string page_style_source() {
  return fmt::format("'sha256-{}'", base64_of_hex(base::sha256_hex(kStyle)));
}

}  // namespace show
