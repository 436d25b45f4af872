#include "src/show/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "src/base/time_text.h"
#include "src/show/chart.h"
#include "src/show/html.h"
#include "src/show/page_parts.h"
#include "src/show/page_style.h"
#include "src/show/verdict.h"

namespace show {
namespace {

using model::Overview;

// How a state looks besides its words: a shape of its own, and a colour.
struct Look {
  std::string_view kind;    // class in the style
  std::string_view shape;   // of 24 by 24
  std::string_view colour;  // of the icon in the browser's tab, readable on light and dark
};

Look look_of(Health health) {
  switch (health) {
    case Health::Well:
      return {"well", "<circle cx='12' cy='12' r='9.5'/><path d='M7.5 12.5l3 3 6-6.5'/>", "2c9c63"};
    case Health::Exceptions:
      return {"exceptions",
              "<path d='M12 2.8l9.8 17.4H2.2z'/><path d='M12 9.3v5'/><path d='M12 17v.3'/>",
              "c27803"};
    case Health::Trouble:
      return {"trouble",
              "<path d='M8 2.5h8l5.5 5.5v8L16 21.5H8L2.5 16V8z'/><path d='M12 7v6'/>"
              "<path d='M12 16.6v.3'/>",
              "e0483e"};
  }
  return {};
}

// The picture as an address, so that the browser asks for none: what a URL can't hold is encoded.
std::string icon_address(const Look& look) {
  const auto svg = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='#{}' "
      "stroke-width='2.5' stroke-linecap='round' stroke-linejoin='round'>{}</svg>",
      look.colour, look.shape);
  std::string address = "data:image/svg+xml,";
  for (const char c : svg) {
    if (c == '<' || c == '>' || c == '#') {
      address += fmt::format("%{:02X}", static_cast<unsigned>(c));
    } else {
      address += c;
    }
  }
  return address;
}

std::string head_html(const Overview& overview, const Verdict& verdict, Reload reload) {
  const auto refresh =
      reload == Reload::ByItself
          ? fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">\n", kReloadSeconds)
          : std::string();
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta name=\"robots\" content=\"noindex\">\n{}"
      "<title>{}: {}</title>\n<link rel=\"icon\" href=\"{}\">\n<style>{}</style>\n</head>\n",
      refresh, escape(verdict.headline), escape(overview.host),
      icon_address(look_of(verdict.health)), page_style());
}

std::string verdict_html(const Overview& overview, const Verdict& verdict) {
  const auto look = look_of(verdict.health);
  std::string troubles;
  for (const auto& each : verdict.troubles) troubles += fmt::format("<li>{}</li>\n", escape(each));
  if (!troubles.empty()) troubles = fmt::format("<ul>\n{}</ul>\n", troubles);
  if (overview.troubles_left_out > 0) {
    troubles += paragraph("quiet", fmt::format("{} more: tlspolicyctl status",
                                               count_text(overview.troubles_left_out)));
  }
  return fmt::format(
      "<section class=\"verdict {}\" aria-labelledby=\"verdict\">\n"
      "<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">{}</svg>\n<div>"
      "<h2 id=\"verdict\">{}</h2>\n{}{}{}</div>\n</section>\n",
      look.kind, look.shape, escape(verdict.headline),
      verdict.sentence.empty() ? "" : paragraph("said", verdict.sentence), troubles,
      verdict.besides.empty() ? "" : paragraph("besides", verdict.besides));
}

std::string figure(std::string_view name, std::string_view value, std::string_view aside,
                   std::string_view kind = "plain") {
  return fmt::format("<div><dt>{}</dt><dd class=\"{}\">{}</dd></div>\n", name, kind,
                     with_aside(value, aside));
}

std::string number_to_mind(std::string_view name, std::uint64_t count) {
  return figure(name, count_text(count), "", count == 0 ? "plain" : "warn");
}

std::string certificate_figure(const Overview& overview, std::int64_t now) {
  constexpr std::string_view kName = "Next certificate";
  if (overview.certificates.empty()) return figure(kName, "\u2013", "none is watched");
  const auto& first = overview.certificates.front();
  return figure(kName, first.not_after <= now ? "ended" : end_text(first.not_after, now),
                first.host, urgency_of(first.not_after, now));
}

std::string delivered_figure(const Overview& overview) {
  double by_tls = 0;
  double delivered = 0;
  for (const auto& hour : overview.traffic) {
    const double tls =
        static_cast<double>(hour.authenticated) + static_cast<double>(hour.encrypted);
    by_tls += tls;
    delivered += tls + static_cast<double>(hour.clear) + static_cast<double>(hour.unknown);
  }
  if (delivered <= 0) return figure("Delivered by TLS", "\u2013", "no delivery in the last day");
  return figure("Delivered by TLS", fmt::format("{:.1f} %", 100 * by_tls / delivered),
                fmt::format("of {} in the last day", rounded_text(delivered)));
}

std::string figures_html(const Overview& overview, std::int64_t now) {
  double answers = 0;
  for (const auto& each : overview.answers) answers += static_cast<double>(each.count);
  const auto rows = overview.image ? count_text(overview.image->rows) : std::string("none");
  return fmt::format(
      "<section aria-labelledby=\"figures\">\n<h2 id=\"figures\" class=\"unseen\">In short</h2>\n"
      "<dl class=\"figures\">\n{}{}{}{}{}{}</dl>\n</section>\n",
      number_to_mind("Downgraded now", overview.downgrades_total),
      number_to_mind("Partners that fail", overview.partners_total),
      certificate_figure(overview, now), delivered_figure(overview),
      figure("Answers", rounded_text(answers), slowest_text(overview)),
      figure("Rows in force", rows,
             overview.mode.empty() ? "" : fmt::format("mode {}", overview.mode)));
}

std::string traffic_section(const Overview& overview) {
  const auto chart = traffic_html(overview.traffic);
  return section_html("traffic", "Mail of the last day",
                      chart.empty() ? paragraph("empty",
                                                "No delivery was seen in the last day. Deliveries "
                                                "are seen by map outcome and the mail log.")
                                    : chart);
}

std::string footer_html(const Overview& overview, std::int64_t now, Reload reload) {
  const bool reloads = reload == Reload::ByItself;
  return fmt::format(
      "<footer>\n<span>As of {}; all times are UTC.</span>\n"
      "<span>{}<a href=\"{}\">{}</a></span>\n<a href=\"/metrics\">Metrics</a>\n"
      "<span>tlspolicyd {}</span>\n</footer>\n",
      base::iso_time_of(now).substr(0, 19) + "Z",
      reloads ? fmt::format("Reloads every {} s. ", kReloadSeconds) : std::string(),
      reloads ? kStillPagePath : kPagePath, reloads ? "Stop reloading" : "Reload by itself",
      escape(overview.version));
}

std::string sections_html(const Overview& overview, std::int64_t now) {
  return figures_html(overview, now) + downgrades_html(overview, now) +
         partners_html(overview, now) + certificates_html(overview, now) +
         traffic_section(overview) + decisions_html(overview, now) + service_html(overview, now);
}

}  // namespace

std::string render_page(const Overview& overview, std::int64_t now, Reload reload) {
  const auto verdict = sum_up(overview, now);
  std::string page = head_html(overview, verdict, reload);
  page += fmt::format(
      "<body>\n<header>\n<h1>{}</h1>\n<p class=\"quiet\">TLS policy service</p>\n"
      "</header>\n<main>\n",
      overview.host.empty() ? "This host" : escape(overview.host));
  page += verdict_html(overview, verdict);
  // Lists that are empty because nothing was reported would read as good news.
  if (overview.at > 0) page += sections_html(overview, now);
  page += "</main>\n" + footer_html(overview, now, reload) + "</body>\n</html>\n";
  return page;
}

std::string page_security_policy() {
  return fmt::format(
      "default-src 'none'; style-src {}; img-src data:; base-uri 'none'; form-action 'none'; "
      "frame-ancestors 'none'",
      page_style_source());
}

}  // namespace show
