// A deque of consecutive revisions.
#include "control/store/history.h"

#include <cassert>

namespace keelson {
namespace {

// What a change keeps alive that the index does not: the states before it.
std::size_t weight(const Change& change) {
  constexpr std::size_t around_the_bytes = 512;  // Object, its strings and the deque's slot
  std::size_t bytes = sizeof(Change);
  for (const auto* object : {change.before.get(), change.last.get()}) {
    if (object) bytes += object->bytes.size() + around_the_bytes;
  }
  return bytes;
}

}  // namespace

void History::add(Change change) {
  assert(change.revision == start_ + static_cast<Revision>(changes_.size()) + 1);
  bytes_ += weight(change);
  changes_.push_back(std::move(change));
}

void History::trim(Revision kept_from) {
  while (!changes_.empty() && changes_.front().revision <= kept_from &&
         (changes_.size() > limits_.history_events || bytes_ > limits_.history_bytes)) {
    bytes_ -= weight(changes_.front());
    start_ = changes_.front().revision;
    changes_.pop_front();
  }
}

Result<> History::reaches(Revision revision) const {
  if (revision >= start_) return {};
  return fail(Reason::Expired, "too old resource version: {} ({})", revision, start_);
}

Result<std::vector<Change>> History::between(Revision after, Revision upto) const {
  if (auto ok = reaches(after); !ok) return std::unexpected(ok.error());
  if (upto <= after) return std::vector<Change>{};
  const auto from = changes_.begin() + (after - start_);
  return std::vector<Change>(from, changes_.begin() + (upto - start_));
}

Result<std::map<std::string, ObjectPtr>> History::before(Revision revision,
                                                         const Kind& kind) const {
  if (auto ok = reaches(revision); !ok) return std::unexpected(ok.error());
  std::map<std::string, ObjectPtr> states;
  for (auto change = changes_.begin() + (revision - start_); change != changes_.end(); ++change) {
    const Object& object = change->object();
    if (object.kind == &kind) states.try_emplace(key_of(object), change->before);
  }
  return states;
}

}  // namespace keelson
