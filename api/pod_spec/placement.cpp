// Where a pod may run: affinity, tolerations, spread.
#include <algorithm>

#include "api/pod_spec/parts.h"
#include "api/proto/core/v1/topology.pb.h"
#include "api/proto/meta/v1/selector.pb.h"

namespace keelson::pod_spec {
namespace {

// Preferences may have any value: a node that cannot match is not preferred.
enum class Values { Checked, Any };

void check_operator(Checker& checker, const FieldPath& path,
                    const core::NodeSelectorRequirement& requirement) {
  const std::string& op = requirement.operator_();
  const auto& values = requirement.values();
  if (op == "In" || op == "NotIn") {
    if (values.empty()) {
      checker.errors.required(path / "values",
                              "must be specified when `operator` is 'In' or 'NotIn'");
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!values.empty()) {
      checker.errors.forbidden(path / "values",
                               "may not be specified when `operator` is 'Exists' or "
                               "'DoesNotExist'");
    }
  } else if (op == "Gt" || op == "Lt") {
    if (values.size() != 1) {
      checker.errors.required(path / "values",
                              "must be specified single value when `operator` is 'Lt' or 'Gt'");
    }
  } else {
    checker.errors.invalid(path / "operator", op, "not a valid selector operator");
  }
}

void check_expression(Checker& checker, const FieldPath& path,
                      const core::NodeSelectorRequirement& requirement, Values checked) {
  check_operator(checker, path, requirement);
  check_value(path / "key", requirement.key(), check_qualified_name, checker.errors);
  if (checked == Values::Any) return;
  for (int i = 0; i < requirement.values_size(); ++i) {
    check_value((path / "values")[static_cast<std::size_t>(i)], requirement.values(i),
                check_label_value, checker.errors);
  }
}

void check_match_field(Checker& checker, const FieldPath& path,
                       const core::NodeSelectorRequirement& requirement) {
  const std::string& op = requirement.operator_();
  if (op != "In" && op != "NotIn") {
    checker.errors.invalid(path / "operator", op, "not a valid selector operator");
  } else if (requirement.values_size() != 1) {
    checker.errors.required(path / "values",
                            "must be only one value when `operator` is 'In' or 'NotIn' for node "
                            "field selector");
  }
  if (requirement.key() != "metadata.name") {
    return checker.errors.invalid(path / "key", requirement.key(),
                                  "not a valid field selector key");
  }
  for (int i = 0; i < requirement.values_size(); ++i) {
    check_value((path / "values")[static_cast<std::size_t>(i)], requirement.values(i),
                check_dns_subdomain, checker.errors);
  }
}

void check_term(Checker& checker, const FieldPath& path, const core::NodeSelectorTerm& term,
                Values checked) {
  each(path / "matchExpressions", term.matchexpressions(),
       [&](const FieldPath& at, const core::NodeSelectorRequirement& requirement) {
         check_expression(checker, at, requirement, checked);
       });
  each(path / "matchFields", term.matchfields(),
       [&](const FieldPath& at, const core::NodeSelectorRequirement& requirement) {
         check_match_field(checker, at, requirement);
       });
}

void check_weight(Checker& checker, const FieldPath& path, std::int32_t weight) {
  if (weight >= 1 && weight <= 100) return;
  checker.errors.invalid_number(path / "weight", weight, "must be in the range 1-100");
}

void check_node_affinity(Checker& checker, const FieldPath& path,
                         const core::NodeAffinity& affinity) {
  if (affinity.has_requiredduringschedulingignoredduringexecution()) {
    const FieldPath terms =
        path / "requiredDuringSchedulingIgnoredDuringExecution" / "nodeSelectorTerms";
    const auto& required = affinity.requiredduringschedulingignoredduringexecution();
    if (required.nodeselectorterms().empty()) {
      checker.errors.required(terms, "must have at least one node selector term");
    }
    each(terms, required.nodeselectorterms(),
         [&](const FieldPath& at, const core::NodeSelectorTerm& term) {
           check_term(checker, at, term, Values::Checked);
         });
  }
  each(path / "preferredDuringSchedulingIgnoredDuringExecution",
       affinity.preferredduringschedulingignoredduringexecution(),
       [&](const FieldPath& at, const core::PreferredSchedulingTerm& term) {
         check_weight(checker, at, term.weight());
         check_term(checker, at / "preference", term.preference(), Values::Any);
       });
}

void check_label_keys(Checker& checker, const FieldPath& path, const List<std::string>& keys,
                      bool has_selector) {
  if (keys.empty()) return;
  if (!has_selector) {
    return checker.errors.forbidden(path, "must not be specified when labelSelector is not set");
  }
  each(path, keys, [&](const FieldPath& at, const std::string& key) {
    check_value(at, key, check_qualified_name, checker.errors);
  });
}

void check_pod_term(Checker& checker, const FieldPath& path, const core::PodAffinityTerm& term) {
  if (term.has_labelselector()) {
    check_label_selector(path / "labelSelector", term.labelselector(), checker.errors);
  }
  if (term.has_namespaceselector()) {
    check_label_selector(path / "namespaceSelector", term.namespaceselector(), checker.errors);
  }
  for (const auto& name : term.namespaces()) {
    check_value(path / "namespace", name, check_dns_label, checker.errors);
  }
  check_label_keys(checker, path / "matchLabelKeys", term.matchlabelkeys(),
                   term.has_labelselector());
  check_label_keys(checker, path / "mismatchLabelKeys", term.mismatchlabelkeys(),
                   term.has_labelselector());
  each(path / "matchLabelKeys", term.matchlabelkeys(),
       [&](const FieldPath& at, const std::string& key) {
         const auto& others = term.mismatchlabelkeys();
         if (std::ranges::find(others, key) == others.end()) return;
         checker.errors.invalid(at, key, "exists in both matchLabelKeys and mismatchLabelKeys");
       });
  if (term.topologykey().empty()) {
    checker.errors.required(path / "topologyKey", "can not be empty");
  }
  check_value(path / "topologyKey", term.topologykey(), check_qualified_name, checker.errors);
}

// Affinity to pods, or against them: the same fields.
template <typename Affinity>
void check_pod_affinity(Checker& checker, const FieldPath& path, const Affinity& affinity) {
  each(path / "requiredDuringSchedulingIgnoredDuringExecution",
       affinity.requiredduringschedulingignoredduringexecution(),
       [&](const FieldPath& at, const core::PodAffinityTerm& term) {
         check_pod_term(checker, at, term);
       });
  each(path / "preferredDuringSchedulingIgnoredDuringExecution",
       affinity.preferredduringschedulingignoredduringexecution(),
       [&](const FieldPath& at, const core::WeightedPodAffinityTerm& term) {
         check_weight(checker, at, term.weight());
         check_pod_term(checker, at / "podAffinityTerm", term.podaffinityterm());
       });
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += (all.empty() ? "" : ";") + text;
  return all;
}

void check_toleration(const FieldPath& path, const core::Toleration& toleration,
                      FieldErrors& errors) {
  const std::string& op = toleration.operator_();
  if (!toleration.key().empty()) {
    check_value(path / "key", toleration.key(), check_qualified_name, errors);
  } else if (op != "Exists") {
    errors.invalid(path / "operator", op,
                   "operator must be Exists when `key` is empty, which means \"match all values "
                   "and all keys\"");
  }
  if (toleration.has_tolerationseconds() && toleration.effect() != "NoExecute") {
    errors.invalid(path / "effect", toleration.effect(),
                   "effect must be 'NoExecute' when `tolerationSeconds` is set");
  }
  if (op.empty() || op == "Equal") {
    if (const auto texts = check_label_value(toleration.value()); !texts.empty()) {
      errors.invalid(path / "operator", toleration.value(), joined(texts));
    }
  } else if (op == "Exists") {
    if (!toleration.value().empty()) {
      errors.invalid(path / "operator", toleration.value(),
                     "value must be empty when `operator` is 'Exists'");
    }
  } else {
    errors.not_supported(path / "operator", op, {"Equal", "Exists"});
  }
  check_taint_effect(path / "effect", toleration.effect(), EmptyEffect::MatchesAll, errors);
}

void check_policy(Checker& checker, const FieldPath& path, bool is_set, const std::string& policy) {
  if (!is_set || policy == "Honor" || policy == "Ignore") return;
  checker.errors.not_supported(path, policy, {"Honor", "Ignore"});
}

std::set<std::string_view> keys_of(const meta::LabelSelector& selector) {
  std::set<std::string_view> keys;
  for (const auto& [key, value] : selector.matchlabels()) keys.insert(key);
  for (const auto& one : selector.matchexpressions()) keys.insert(one.key());
  return keys;
}

void check_min_domains(Checker& checker, const FieldPath& path,
                       const core::TopologySpreadConstraint& constraint) {
  if (!constraint.has_mindomains()) return;
  if (constraint.mindomains() <= 0) {
    checker.errors.invalid_number(path, constraint.mindomains(), "must be greater than zero");
  }
  if (constraint.whenunsatisfiable() != "DoNotSchedule") {
    checker.errors.invalid_number(
        path, constraint.mindomains(),
        fmt::format("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {}",
                    constraint.whenunsatisfiable()));
  }
}

void check_constraint(Checker& checker, const FieldPath& path,
                      const core::TopologySpreadConstraint& constraint) {
  if (constraint.maxskew() <= 0) {
    checker.errors.invalid_number(path / "maxSkew", constraint.maxskew(),
                                  "must be greater than zero");
  }
  if (constraint.topologykey().empty()) {
    checker.errors.required(path / "topologyKey", "can not be empty");
  }
  const std::string& action = constraint.whenunsatisfiable();
  if (action != "DoNotSchedule" && action != "ScheduleAnyway") {
    checker.errors.not_supported(path / "whenUnsatisfiable", action,
                                 {"DoNotSchedule", "ScheduleAnyway"});
  }
  check_min_domains(checker, path / "minDomains", constraint);
  check_policy(checker, path / "nodeAffinityPolicy", constraint.has_nodeaffinitypolicy(),
               constraint.nodeaffinitypolicy());
  check_policy(checker, path / "nodeTaintsPolicy", constraint.has_nodetaintspolicy(),
               constraint.nodetaintspolicy());
  check_label_keys(checker, path / "matchLabelKeys", constraint.matchlabelkeys(),
                   constraint.has_labelselector());
  const auto selected = keys_of(constraint.labelselector());
  each(path / "matchLabelKeys", constraint.matchlabelkeys(),
       [&](const FieldPath& at, const std::string& key) {
         if (!selected.contains(key)) return;
         checker.errors.invalid(at, key, "exists in both matchLabelKeys and labelSelector");
       });
  if (constraint.has_labelselector()) {
    check_label_selector(path / "labelSelector", constraint.labelselector(), checker.errors);
  }
}

}  // namespace

void check_affinity(Checker& checker, const FieldPath& path) {
  const core::Affinity& affinity = checker.spec.affinity();
  if (affinity.has_nodeaffinity()) {
    check_node_affinity(checker, path / "nodeAffinity", affinity.nodeaffinity());
  }
  if (affinity.has_podaffinity()) {
    check_pod_affinity(checker, path / "podAffinity", affinity.podaffinity());
  }
  if (affinity.has_podantiaffinity()) {
    check_pod_affinity(checker, path / "podAntiAffinity", affinity.podantiaffinity());
  }
}

void check_tolerations(const FieldPath& path, const List<core::Toleration>& tolerations,
                       FieldErrors& errors) {
  each(path, tolerations, [&](const FieldPath& at, const core::Toleration& toleration) {
    check_toleration(at, toleration, errors);
  });
}

void check_topology_spread(Checker& checker, const FieldPath& path) {
  const auto& constraints = checker.spec.topologyspreadconstraints();
  std::multiset<std::pair<std::string_view, std::string_view>> later;
  for (const auto& one : constraints) later.emplace(one.topologykey(), one.whenunsatisfiable());
  each(path, constraints,
       [&](const FieldPath& at, const core::TopologySpreadConstraint& constraint) {
         check_constraint(checker, at, constraint);
         later.erase(later.find({constraint.topologykey(), constraint.whenunsatisfiable()}));
         if (!later.contains({constraint.topologykey(), constraint.whenunsatisfiable()})) return;
         checker.errors.duplicate(
             at / "{topologyKey, whenUnsatisfiable}",
             fmt::format("{{{}, {}}}", constraint.topologykey(), constraint.whenunsatisfiable()));
       });
}

}  // namespace keelson::pod_spec
