// WATCH: from a revision on, or from now with everything there is first. API-BEHAVIOUR §2, §3, §15.
#include "control/registry/watch.h"

#include "control/registry/errors.h"
#include "control/registry/registry.h"
#include "control/registry/revision_text.h"
#include "control/registry/served.h"
#include "control/registry/watch_hub.h"

namespace keelson {
namespace {

Result<> check_options(const WatchQuery& query) {
  const FieldPath path("resourceVersionMatch");
  const std::string& match = query.resource_version_match;
  FieldErrors errors;
  if (query.send_initial_events && match != "NotOlderThan") {
    errors.forbidden(path,
                     "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (!match.empty() && !query.send_initial_events) {
    errors.forbidden(
        path, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  }
  if (!match.empty() && match != "NotOlderThan") {
    errors.not_supported(path, match, {"NotOlderThan"});
  }
  if (errors.empty()) return {};
  return std::unexpected(errors.to_error("meta.k8s.io", "ListOptions", ""));
}

}  // namespace

Encodings::Bytes Encodings::get(Format format, const std::function<std::string()>& make) {
  const std::lock_guard lock(mutex_);
  Bytes& bytes = bytes_[static_cast<std::size_t>(format)];
  if (!bytes) bytes = std::make_shared<const std::string>(make());
  return bytes;
}

Result<Pending> Registry::watch(const Kind& kind, const WatchQuery& query,
                                std::shared_ptr<WatchSink> sink) {
  if (!kind.has_verb("watch")) return not_supported(kind, "", "watch");
  auto selection =
      Selection::parse(kind, query.name_space, query.label_selector, query.field_selector);
  if (!selection) return std::unexpected(selection.error());
  if (auto ok = check_options(query); !ok) return std::unexpected(ok.error());
  auto from = parse_revision(query.resource_version);
  if (!from) return std::unexpected(from.error());

  const bool from_now = *from == 0;  // "" or "0": the beginning is ours to choose
  const bool wants_initial = query.send_initial_events.value_or(from_now);
  if (wants_initial && *from > store_.revision()) {
    return too_large_revision(*from, store_.revision());
  }
  WatchHub::Request request{.kind = kind.storage(),
                            .selection = std::move(*selection),
                            .from = wants_initial || from_now ? store_.revision() : *from,
                            .initial = wants_initial,
                            .bookmarks = query.bookmarks,
                            .timeout = query.timeout};
  request.marks_initial_end = query.bookmarks && query.send_initial_events.value_or(false);
  return watch_hub_->add(std::move(request), served_sink(kind, std::move(sink)));
}

}  // namespace keelson
