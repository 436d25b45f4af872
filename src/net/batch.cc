#include "src/net/batch.h"

#include <span>
#include <utility>

#include "src/net/connection.h"

namespace net {

void Batch::add(Connection& connection) {
  auto& asking = asking_.at(count_);
  asking.connection = &connection;
  asking.input = connection.read(std::span(bytes_).subspan(used_, kReadAtOnce));
  if (asking.input.empty()) return;
  ++count_;
  used_ += asking.input.size();
  if (count_ == kMost || bytes_.size() - used_ < kReadAtOnce) answer_all();
}

void Batch::answer_all() {
  const auto all = std::span(asking_).first(std::exchange(count_, 0));
  used_ = 0;
  if (all.size() > 1) {
    for (auto& each : all) each.looks_ahead = each.connection->look_ahead(each.input);
    for (auto& each : all) {
      if (std::exchange(each.looks_ahead, false)) each.connection->look_further();
    }
  }
  for (auto& each : all) each.connection->take(each.input, each.replies);
  for (auto& each : all) each.connection->reply(each.replies);
}

}  // namespace net
