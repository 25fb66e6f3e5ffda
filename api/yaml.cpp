// YAML text to tree: yaml-cpp's parser over our builder. Aliases are copies and count as such, so a
// document cannot grow beyond its bounds by them.
#include <map>
#include <spanstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>
#include <boost/json/value.hpp>

#include "api/go_text.h"
#include "api/json.h"
#include "api/tree_builder.h"
#include "api/yaml_scalar.h"

namespace keelson {
namespace {

// Thrown through yaml-cpp, which knows no other way to stop.
struct Stop {
  Error error;
};

class Handler final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t anchor) override { scalar(nullptr, anchor); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, json::array(), anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, json::object(), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

  Document take() { return std::move(tree_.document); }

 private:
  struct Open {
    bool is_map;
    bool wants_key;
    bool merges = false;  // the next value is that of a "<<"
    YAML::anchor_t anchor;
    std::size_t taken_before;
    std::vector<json::value> merged;  // maps whose keys stand back behind the map's own
  };
  struct Anchored {
    json::value value;
    std::size_t values;
  };

  [[noreturn]] static void stop(const YAML::Mark& mark, std::string_view what) {
    throw Stop{{Reason::BadRequest, fmt::format("yaml: line {}: {}", mark.line + 1, what)}};
  }
  [[noreturn]] static void stop_too_many() {
    throw Stop{{Reason::BadRequest,
                fmt::format("yaml: document has more than {} values", Limits{}.json_values)}};
  }
  bool wants_key() const { return !open_.empty() && open_.back().is_map && open_.back().wants_key; }
  void open(const YAML::Mark& mark, json::value container, YAML::anchor_t anchor);
  void close();
  void scalar(json::value value, YAML::anchor_t anchor);
  void key(const json::value& scalar);
  void add(json::value value);
  void take_values(std::size_t values);
  void remember(YAML::anchor_t anchor, const json::value& value, std::size_t values);

  TreeBuilder tree_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
};

void Handler::take_values(std::size_t values) {
  if (!tree_.take(values)) stop_too_many();
}

void Handler::remember(YAML::anchor_t anchor, const json::value& value, std::size_t values) {
  if (anchor == YAML::NullAnchor) return;
  take_values(values);
  anchors_.insert_or_assign(anchor, Anchored{value, values});
}

void Handler::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  auto known = anchors_.find(anchor);
  if (known == anchors_.end()) stop(mark, "an alias inside of what it stands for");
  take_values(known->second.values);
  if (wants_key()) {
    key(known->second.value);
  } else {
    add(known->second.value);
  }
}

void Handler::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       const std::string& text) {
  if (!is_utf8(text)) stop(mark, "invalid UTF-8");
  if (wants_key() && tag == "?" && text == "<<") {
    open_.back().merges = true;
    open_.back().wants_key = false;
    return;
  }
  auto value = resolve_yaml_scalar(tag, text);
  if (!value) stop(mark, value.error().message);
  scalar(std::move(*value), anchor);
}

void Handler::scalar(json::value value, YAML::anchor_t anchor) {
  remember(anchor, value, 1);
  if (wants_key()) {
    key(value);
  } else {
    add(std::move(value));
  }
}

void Handler::key(const json::value& scalar) {
  auto text = yaml_key(scalar);
  if (!text) throw Stop{{text.error().reason, "yaml: " + text.error().message}};
  tree_.key(std::move(*text));
  open_.back().wants_key = false;
}

void Handler::open(const YAML::Mark& mark, json::value container, YAML::anchor_t anchor) {
  if (wants_key()) stop(mark, "a key of a map must be a string, a number or a boolean");
  if (open_.size() >= static_cast<std::size_t>(Limits{}.json_depth)) {
    stop(mark, fmt::format("nested deeper than {}", Limits{}.json_depth));
  }
  const bool is_map = container.is_object();
  tree_.open(std::move(container));
  open_.push_back({.is_map = is_map,
                   .wants_key = is_map,
                   .anchor = anchor,
                   .taken_before = tree_.taken(),
                   .merged = {}});
}

void Handler::close() {
  Open done = std::move(open_.back());
  open_.pop_back();
  json::value whole = tree_.close();
  for (const json::value& merged : done.merged) {
    for (const auto& [name, value] : merged.get_object()) whole.get_object().emplace(name, value);
  }
  remember(done.anchor, whole, tree_.taken() - done.taken_before + 1);
  add(std::move(whole));
}

void Handler::add(json::value value) {
  if (open_.empty() || !open_.back().merges) {
    if (!tree_.add(std::move(value))) stop_too_many();
    if (!open_.empty()) open_.back().wants_key = true;
    return;
  }
  Open& map = open_.back();
  map.merges = false;
  map.wants_key = true;
  const json::array maps =
      value.is_array() ? std::move(value.get_array()) : json::array{std::move(value)};
  for (const json::value& one : maps) {
    if (!one.is_object()) {
      throw Stop{{Reason::BadRequest, "yaml: map merge requires map or sequence of maps as value"}};
    }
    map.merged.push_back(one);
  }
}

bool looks_like_json(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{';
}

}  // namespace

Result<Document> parse_yaml(std::string_view text) {
  // JSON is YAML, and yaml-cpp knows less of it than a parser of JSON does.
  if (looks_like_json(text)) {
    if (auto document = parse_json(text)) return document;
  }
  try {
    std::ispanstream stream{std::span(text.data(), text.size())};
    YAML::Parser parser(stream);
    Handler handler;
    parser.HandleNextDocument(handler);
    return handler.take();
  } catch (const Stop& stop) {
    return std::unexpected(stop.error);
  } catch (const YAML::Exception& exception) {
    return fail(Reason::BadRequest, "yaml: line {}: {}", exception.mark.line + 1, exception.msg);
  }
}

}  // namespace keelson
