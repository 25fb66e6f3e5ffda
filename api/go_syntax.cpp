// fmt's %#v, for the few types that messages quote.
#include "api/go_syntax.h"

#include <fmt/format.h>

#include "api/go_text.h"
#include "api/names.h"
#include "api/proto/meta/v1/selector.pb.h"
#include "api/proto/util/int_or_string.pb.h"

namespace keelson {
namespace {

std::string requirement_text(const meta::LabelSelectorRequirement& requirement) {
  return fmt::format("v1.LabelSelectorRequirement{{Key:{}, Operator:{}, Values:{}}}",
                     go_quote(requirement.key()), go_quote(requirement.operator_()),
                     go_syntax(requirement.values()));
}

}  // namespace

std::string go_syntax(const google::protobuf::RepeatedPtrField<std::string>& list) {
  if (list.empty()) return "[]string(nil)";
  std::string text = "[]string{";
  for (const auto& one : list) text += (text.ends_with('{') ? "" : ", ") + go_quote(one);
  return text + "}";
}

std::string go_syntax(const google::protobuf::Map<std::string, std::string>& map) {
  if (map.empty()) return "map[string]string(nil)";
  std::string text = "map[string]string{";
  for (const auto& [key, value] : sorted(map)) {
    if (!text.ends_with('{')) text += ", ";
    text += go_quote(key) + ":" + go_quote(value);
  }
  return text + "}";
}

std::string go_syntax(const meta::LabelSelector& selector) {
  std::string expressions = "[]v1.LabelSelectorRequirement(nil)";
  if (!selector.matchexpressions().empty()) {
    expressions = "[]v1.LabelSelectorRequirement{";
    for (const auto& one : selector.matchexpressions()) {
      expressions += (expressions.ends_with('{') ? "" : ", ") + requirement_text(one);
    }
    expressions += "}";
  }
  return fmt::format("v1.LabelSelector{{MatchLabels:{}, MatchExpressions:{}}}",
                     go_syntax(selector.matchlabels()), expressions);
}

std::string go_syntax(const intstr::IntOrString& value) {
  return fmt::format("intstr.IntOrString{{Type:{}, IntVal:{}, StrVal:{}}}", value.type(),
                     value.intval(), go_quote(value.strval()));
}

}  // namespace keelson
