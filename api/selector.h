// Label and field selectors: the text of a query, and LabelSelector messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"

namespace k8s::io::apimachinery::pkg::apis::meta::v1 {
class LabelSelector;
}

namespace keelson {

class LabelSelector {
 public:
  // "a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2". BadRequest: what cannot be parsed, and where.
  static Result<LabelSelector> parse(std::string_view text);
  // From the message; an empty selector matches everything, an invalid one is an error.
  static Result<LabelSelector> from(const meta::LabelSelector& message);
  static LabelSelector from_map(const Labels& labels);  // all must be equal
  static LabelSelector nothing();
  static LabelSelector everything() { return {}; }

  bool matches(const Labels& labels) const;
  bool matches_everything() const { return !nothing_ && requirements_.empty(); }
  std::string text() const;  // parse(text()) is the same selector; keys sorted

  enum class Operator { In, NotIn, Exists, DoesNotExist, GreaterThan, LessThan };
  struct Requirement {
    std::string key;
    Operator op = Operator::In;
    std::vector<std::string> values;  // sorted
  };
  const std::vector<Requirement>& requirements() const { return requirements_; }

 private:
  std::vector<Requirement> requirements_;  // sorted by key
  bool nothing_ = false;
};

class FieldSelector {
 public:
  // "a.b=c,d!=e". BadRequest: a field that this kind cannot be selected by, in Kubernetes' words.
  static Result<FieldSelector> parse(const Kind& kind, std::string_view text);
  bool matches(const Object& object) const;
  bool matches_everything() const { return terms_.empty(); }
  // The value a field must equal, for indexes; null if the selector does not ask for one.
  const std::string* equals(std::string_view path) const;

 private:
  struct Term {
    std::string path, value;
    bool equal = true;
    int field = -1;  // index into Object::fields; -1 name, -2 namespace
  };
  std::vector<Term> terms_;
};

}  // namespace keelson
