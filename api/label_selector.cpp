// Label selectors: the grammar of k8s.io/apimachinery's labels package, with its words for what
// cannot be parsed.
#include "api/selector.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "api/go_text.h"
#include "api/names.h"
#include "api/proto/meta/v1/selector.pb.h"

namespace keelson {
namespace {

using Operator = LabelSelector::Operator;
using Requirement = LabelSelector::Requirement;

enum class Token { End, Word, Comma, Not, Equals, NotEquals, Greater, Less, Open, Close };

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
bool is_symbol(char c) {
  return std::string_view("=!(),><").contains(c);
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : rest_(text) { advance(); }
  Token token() const { return token_; }
  std::string_view literal() const { return literal_; }

  void advance() {
    while (!rest_.empty() && is_space(rest_[0])) rest_.remove_prefix(1);
    std::size_t size = 0;
    if (!rest_.empty() && is_symbol(rest_[0])) {
      size = rest_.starts_with("==") || rest_.starts_with("!=") ? 2 : 1;
    } else {
      while (size < rest_.size() && !is_space(rest_[size]) && !is_symbol(rest_[size])) ++size;
    }
    literal_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
    token_ = token_of(literal_);
  }

 private:
  static Token token_of(std::string_view literal) {
    if (literal.empty()) return Token::End;
    if (literal == "!=") return Token::NotEquals;
    switch (literal[0]) {
      case ',':
        return Token::Comma;
      case '!':
        return Token::Not;
      case '=':
        return Token::Equals;
      case '>':
        return Token::Greater;
      case '<':
        return Token::Less;
      case '(':
        return Token::Open;
      case ')':
        return Token::Close;
      default:
        return Token::Word;
    }
  }

  std::string_view rest_, literal_;
  Token token_ = Token::End;
};

template <typename... Args>
std::unexpected<Error> fail_requirement(fmt::format_string<Args...> format, Args&&... args) {
  return fail(Reason::BadRequest, "unable to parse requirement: {}",
              fmt::format(format, std::forward<Args>(args)...));
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

// What is wrong with a requirement that could be parsed.
Result<> check(const Requirement& requirement) {
  if (auto wrong = check_qualified_name(requirement.key); !wrong.empty()) {
    return fail(Reason::BadRequest, "key: Invalid value: {}: {}", go_quote(requirement.key),
                wrong[0]);
  }
  const bool ordered =
      requirement.op == Operator::GreaterThan || requirement.op == Operator::LessThan;
  for (const std::string& value : requirement.values) {
    if (ordered && !integer_of(value)) {
      return fail(Reason::BadRequest,
                  "values[0]: Invalid value: {}: for 'Gt', 'Lt' operators, the value must be an "
                  "integer",
                  go_quote(value));
    }
    if (auto wrong = check_label_value(value); !wrong.empty()) {
      return fail(Reason::BadRequest, "values[0][{}]: Invalid value: {}: {}", requirement.key,
                  go_quote(value), wrong[0]);
    }
  }
  return {};
}

void sort_values(Requirement& requirement) {
  std::ranges::sort(requirement.values);
  const auto repeated = std::ranges::unique(requirement.values);
  requirement.values.erase(repeated.begin(), repeated.end());
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}
  Result<std::vector<Requirement>> parse();

 private:
  Result<Requirement> requirement();
  Result<> values(Requirement& requirement);
  Result<> list(Requirement& requirement);

  Lexer lexer_;
};

Result<std::vector<Requirement>> Parser::parse() {
  std::vector<Requirement> requirements;
  while (lexer_.token() != Token::End) {
    if (lexer_.token() != Token::Word && lexer_.token() != Token::Not) {
      return fail(
          Reason::BadRequest, "found '{}', expected: {}", lexer_.literal(),
          requirements.empty() ? "!, identifier, or 'end of string'" : "identifier after ','");
    }
    auto next = requirement();
    if (!next) return std::unexpected(next.error());
    requirements.push_back(std::move(*next));
    if (lexer_.token() == Token::End) break;
    if (lexer_.token() != Token::Comma) {
      return fail(Reason::BadRequest, "found '{}', expected: ',' or 'end of string'",
                  lexer_.literal());
    }
    lexer_.advance();
    if (lexer_.token() == Token::End) {
      return fail(Reason::BadRequest, "found '', expected: identifier after ','");
    }
  }
  return requirements;
}

Result<Requirement> Parser::requirement() {
  Requirement requirement{.key = {}, .op = Operator::Exists, .values = {}};
  if (lexer_.token() == Token::Not) {
    requirement.op = Operator::DoesNotExist;
    lexer_.advance();
  }
  if (lexer_.token() != Token::Word) {
    return fail_requirement("found '{}', expected: identifier", lexer_.literal());
  }
  requirement.key = lexer_.literal();
  lexer_.advance();
  if (lexer_.token() != Token::End && lexer_.token() != Token::Comma) {
    if (auto parsed = values(requirement); !parsed) return std::unexpected(parsed.error());
  }
  sort_values(requirement);
  if (auto valid = check(requirement); !valid) {
    return fail_requirement("{}", valid.error().message);
  }
  return requirement;
}

// The operator, and what stands behind it.
Result<> Parser::values(Requirement& requirement) {
  const Token token = lexer_.token();
  const std::string_view literal = lexer_.literal();
  lexer_.advance();
  if (token == Token::Word && (literal == "in" || literal == "notin")) {
    requirement.op = literal == "in" ? Operator::In : Operator::NotIn;
    return list(requirement);
  }
  switch (token) {
    case Token::Equals:
      requirement.op = Operator::In;
      break;
    case Token::NotEquals:
      requirement.op = Operator::NotIn;
      break;
    case Token::Greater:
      requirement.op = Operator::GreaterThan;
      break;
    case Token::Less:
      requirement.op = Operator::LessThan;
      break;
    default:
      return fail_requirement("found '{}', expected: in, notin, =, ==, !=, gt, lt", literal);
  }
  requirement.values.emplace_back();
  if (lexer_.token() == Token::End || lexer_.token() == Token::Comma) return {};  // a= means ""
  if (lexer_.token() != Token::Word) {
    return fail_requirement("found '{}', expected: identifier", lexer_.literal());
  }
  requirement.values[0] = lexer_.literal();
  lexer_.advance();
  return {};
}

// "(a,b)"; nothing between two commas, or a comma and a bracket, is the empty value.
Result<> Parser::list(Requirement& requirement) {
  if (lexer_.token() != Token::Open) {
    return fail_requirement("found '{}' expected: '('", lexer_.literal());
  }
  lexer_.advance();
  for (;;) {
    requirement.values.emplace_back();
    if (lexer_.token() == Token::Word) {
      requirement.values.back() = lexer_.literal();
      lexer_.advance();
    }
    const bool closed = lexer_.token() == Token::Close;
    if (!closed && lexer_.token() != Token::Comma) {
      return fail_requirement("found '{}', expected: ',' or ')'", lexer_.literal());
    }
    lexer_.advance();
    if (closed) return {};
  }
}

bool holds(const Requirement& requirement, const Labels& labels) {
  const std::string* value = labels.find(requirement.key);
  switch (requirement.op) {
    case Operator::In:
      return value && std::ranges::binary_search(requirement.values, *value);
    case Operator::NotIn:
      return !value || !std::ranges::binary_search(requirement.values, *value);
    case Operator::Exists:
      return value != nullptr;
    case Operator::DoesNotExist:
      return value == nullptr;
    default:
      break;
  }
  const auto number = value ? integer_of(*value) : std::nullopt;
  const auto bound = integer_of(requirement.values[0]);
  if (!number || !bound) return false;
  return requirement.op == Operator::GreaterThan ? *number > *bound : *number < *bound;
}

std::string text_of(const Requirement& requirement) {
  const auto& values = requirement.values;
  switch (requirement.op) {
    case Operator::Exists:
      return requirement.key;
    case Operator::DoesNotExist:
      return "!" + requirement.key;
    case Operator::GreaterThan:
      return requirement.key + ">" + values[0];
    case Operator::LessThan:
      return requirement.key + "<" + values[0];
    default:
      break;
  }
  const bool in = requirement.op == Operator::In;
  if (values.size() == 1) return requirement.key + (in ? "=" : "!=") + values[0];
  std::string list = values[0];
  for (std::size_t i = 1; i < values.size(); ++i) list += "," + values[i];
  return requirement.key + (in ? " in (" : " notin (") + list + ")";
}

// From a LabelSelectorRequirement.
Result<Requirement> requirement_from(const meta::LabelSelectorRequirement& message) {
  Requirement requirement{.key = message.key(),
                          .op = Operator::In,
                          .values = {message.values().begin(), message.values().end()}};
  const std::string& op = message.operator_();
  if (op == "NotIn") requirement.op = Operator::NotIn;
  if (op == "Exists") requirement.op = Operator::Exists;
  if (op == "DoesNotExist") requirement.op = Operator::DoesNotExist;
  if (requirement.op == Operator::In && op != "In") {
    return fail(Reason::BadRequest, "{} is not a valid label selector operator", go_quote(op));
  }
  const bool wants_values = requirement.op == Operator::In || requirement.op == Operator::NotIn;
  if (wants_values && requirement.values.empty()) {
    return fail(Reason::BadRequest,
                "values: Invalid value: []: for 'in', 'notin' operators, values set can't be "
                "empty");
  }
  if (!wants_values && !requirement.values.empty()) {
    return fail(Reason::BadRequest,
                "values: Invalid value: values set must be empty for exists "
                "and does not exist");
  }
  sort_values(requirement);
  if (auto valid = check(requirement); !valid) return std::unexpected(valid.error());
  return requirement;
}

}  // namespace

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  auto requirements = Parser(text).parse();
  if (!requirements) return std::unexpected(requirements.error());
  LabelSelector selector;
  selector.requirements_ = std::move(*requirements);
  std::ranges::stable_sort(selector.requirements_, {}, &Requirement::key);
  return selector;
}

Result<LabelSelector> LabelSelector::from(const meta::LabelSelector& message) {
  LabelSelector selector;
  for (const auto& [key, value] : message.matchlabels()) {
    Requirement requirement{.key = key, .op = Operator::In, .values = {value}};
    if (auto valid = check(requirement); !valid) return std::unexpected(valid.error());
    selector.requirements_.push_back(std::move(requirement));
  }
  for (const auto& expression : message.matchexpressions()) {
    auto requirement = requirement_from(expression);
    if (!requirement) return std::unexpected(requirement.error());
    selector.requirements_.push_back(std::move(*requirement));
  }
  std::ranges::stable_sort(selector.requirements_, {}, &Requirement::key);
  return selector;
}

LabelSelector LabelSelector::from_map(const Labels& labels) {
  LabelSelector selector;
  for (const auto& [key, value] : labels) {
    selector.requirements_.push_back({.key = key, .op = Operator::In, .values = {value}});
  }
  return selector;
}

LabelSelector LabelSelector::nothing() {
  LabelSelector selector;
  selector.nothing_ = true;
  return selector;
}

bool LabelSelector::matches(const Labels& labels) const {
  if (nothing_) return false;
  return std::ranges::all_of(requirements_,
                             [&](const Requirement& one) { return holds(one, labels); });
}

std::string LabelSelector::text() const {
  std::string text;
  for (const Requirement& requirement : requirements_) {
    if (!text.empty()) text += ',';
    text += text_of(requirement);
  }
  return text;
}

}  // namespace keelson
