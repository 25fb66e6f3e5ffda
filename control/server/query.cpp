// Query parameters, by their Go conversions.
#include "control/server/query.h"

#include <charconv>

#include "api/go_text.h"

namespace keelson {
namespace {

constexpr std::size_t manager_bytes_max = 128;  // upstream's FieldManagerMaxLength

Error invalid_options(std::string_view kind, Cause cause) {
  ErrorDetails details{.group = "meta.k8s.io", .kind = std::string(kind)};
  std::string message =
      fmt::format("{}.meta.k8s.io \"\" is invalid: {}: {}", kind, cause.field, cause.message);
  details.causes.push_back(std::move(cause));
  return {Reason::Invalid, std::move(message),
          std::make_shared<const ErrorDetails>(std::move(details))};
}

bool is_printable(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return false;
  }
  return is_utf8(text);
}

Result<> check_manager(const std::string& manager, std::string_view options_kind) {
  if (manager.size() > manager_bytes_max) {
    return std::unexpected(invalid_options(
        options_kind,
        {"FieldValueTooLong", "Too long: may not be more than 128 bytes", "fieldManager"}));
  }
  if (is_printable(manager)) return {};
  return std::unexpected(invalid_options(options_kind, {"FieldValueInvalid",
                                                        "Invalid value: " + go_quote(manager) +
                                                            ": should only contain printable "
                                                            "characters",
                                                        "fieldManager"}));
}

Result<FieldValidation> field_validation(const std::string& text, std::string_view options_kind) {
  if (text.empty() || text == "Warn") return FieldValidation::Warn;
  if (text == "Ignore") return FieldValidation::Ignore;
  if (text == "Strict") return FieldValidation::Strict;
  return std::unexpected(invalid_options(
      options_kind, {"FieldValueNotSupported",
                     "Unsupported value: " + go_quote(text) +
                         ": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"",
                     "fieldValidation"}));
}

}  // namespace

std::string Query::text(std::string_view name) const {
  const std::string* value = target_.parameter(name);
  return value ? *value : std::string();
}

bool Query::flag(std::string_view name) const {
  const std::string* value = target_.parameter(name);
  return value && *value != "false" && *value != "0";
}

Result<std::optional<std::int64_t>> Query::number(std::string_view name) const {
  const std::string* value = target_.parameter(name);
  if (!value || value->empty()) return std::nullopt;
  std::int64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stopped, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc() && stopped == end) return number;
  return fail(Reason::BadRequest, "{}: strconv.ParseInt: parsing {}: invalid syntax", name,
              go_quote(*value));
}

Result<ListQuery> list_query(const Query& query, std::string name_space) {
  auto limit = query.number("limit");
  if (!limit) return std::unexpected(limit.error());
  return ListQuery{.name_space = std::move(name_space),
                   .label_selector = query.text("labelSelector"),
                   .field_selector = query.text("fieldSelector"),
                   .limit = std::max<std::int64_t>(0, limit->value_or(0)),
                   .continue_token = query.text("continue"),
                   .resource_version = query.text("resourceVersion"),
                   .resource_version_match = query.text("resourceVersionMatch")};
}

Result<WatchQuery> watch_query(const Query& query, std::string name_space) {
  WatchQuery watch{.name_space = std::move(name_space),
                   .label_selector = query.text("labelSelector"),
                   .field_selector = query.text("fieldSelector"),
                   .resource_version = query.text("resourceVersion"),
                   .bookmarks = query.flag("allowWatchBookmarks"),
                   .resource_version_match = query.text("resourceVersionMatch")};
  if (query.has("sendInitialEvents")) watch.send_initial_events = query.flag("sendInitialEvents");
  return watch;
}

Result<std::optional<std::int64_t>> watch_seconds(const Query& query) {
  auto seconds = query.number("timeoutSeconds");
  if (seconds && *seconds && **seconds <= 0) return std::nullopt;
  return seconds;
}

Result<bool> is_dry_run(const std::vector<std::string>& values, std::string_view options_kind) {
  bool dry = false;
  for (const std::string& value : values) {
    if (value == "All") {
      dry = true;
      continue;
    }
    return std::unexpected(invalid_options(
        options_kind,
        {"FieldValueNotSupported",
         "Unsupported value: []string{" + go_quote(value) + "}: supported values: \"All\"",
         "dryRun"}));
  }
  return dry;
}

Result<> write_options(const Query& query, std::string_view options_kind, RequestContext& context) {
  std::vector<std::string> dry_run;
  if (query.has("dryRun")) dry_run.push_back(query.text("dryRun"));
  if (!dry_run.empty() && dry_run.front().empty()) dry_run.clear();
  auto dry = is_dry_run(dry_run, options_kind);
  if (!dry) return std::unexpected(dry.error());
  auto validation = field_validation(query.text("fieldValidation"), options_kind);
  if (!validation) return std::unexpected(validation.error());
  if (query.has("fieldManager") && !query.text("fieldManager").empty()) {
    context.field_manager = query.text("fieldManager");
    if (auto ok = check_manager(context.field_manager, options_kind); !ok) return ok;
  }
  context.dry_run = *dry;
  context.field_validation = *validation;
  context.force = query.flag("force");
  return {};
}

std::string manager_of_user_agent(std::string_view user_agent) {
  std::string manager;
  for (const char c : user_agent.substr(0, user_agent.find('/'))) {
    if (c >= 0x20 && c != 0x7f) manager += c;
    if (manager.size() == manager_bytes_max) break;
  }
  return manager;
}

}  // namespace keelson
