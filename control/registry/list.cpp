// GET of a collection: whole, at a revision, or page by page at one revision. API-BEHAVIOUR §2.
#include "control/registry/continue_token.h"
#include "control/registry/errors.h"
#include "control/registry/registry.h"
#include "control/registry/revision_text.h"
#include "control/registry/selection.h"
#include "control/registry/served.h"

namespace keelson {
namespace {

// Where a list stands: at which revision, from where on, how much at most.
struct Page {
  Revision revision = 0;
  std::string after;            // key
  std::int64_t limit = 0;       // 0: all
  std::int64_t remaining = -1;  // with this page; negative: not counted yet
};

Result<> check_match(const ListQuery& query) {
  const std::string& match = query.resource_version_match;
  if (match.empty()) return {};
  const FieldPath path("resourceVersionMatch");
  FieldErrors errors;
  if (query.resource_version.empty()) {
    errors.forbidden(path, "resourceVersionMatch is forbidden unless resourceVersion is provided");
  }
  if (!query.continue_token.empty()) {
    errors.forbidden(path, "resourceVersionMatch is forbidden when continue is provided");
  }
  if (match != "Exact" && match != "NotOlderThan") {
    errors.not_supported(path, match, {"Exact", "NotOlderThan", ""});
  }
  if (match == "Exact" && query.resource_version == "0") {
    errors.forbidden(path, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
  }
  if (errors.empty()) return {};
  return std::unexpected(errors.to_error("meta.k8s.io", "ListOptions", ""));
}

Result<Page> continued(const Kind& kind, const ListQuery& query, Revision current) {
  if (!query.resource_version.empty()) {
    return fail(Reason::BadRequest,
                "specifying resource version is not allowed when using continue");
  }
  auto token = read_token(query.continue_token, kind, query.name_space);
  if (!token) return std::unexpected(token.error());
  if (token->revision > current) return too_large_revision(token->revision, current);
  return Page{.revision = token->revision < 0 ? current : token->revision,
              .after = token->after,
              .limit = query.limit,
              .remaining = token->remaining};
}

Result<Page> first_page(const Kind& kind, const ListQuery& query, Revision current) {
  if (auto ok = check_match(query); !ok) return std::unexpected(ok.error());
  if (!query.continue_token.empty()) return continued(kind, query, current);
  auto wanted = parse_revision(query.resource_version);
  if (!wanted) return std::unexpected(wanted.error());
  if (*wanted > current) return too_large_revision(*wanted, current);
  const bool exact = query.resource_version_match == "Exact" ||
                     // Before the match parameter there was one rule: a limit fixes the revision.
                     (query.resource_version_match.empty() && query.limit > 0 && *wanted > 0);
  // A list from the cache (revision 0) has always come whole.
  const bool cached = query.resource_version == "0";
  return Page{.revision = exact ? *wanted : current, .limit = cached ? 0 : query.limit};
}

std::unexpected<Error> too_old(const Kind& kind, const ListQuery& query) {
  if (query.continue_token.empty()) {
    return fail(Reason::Expired, "The resourceVersion for the provided list is too old.");
  }
  ErrorDetails details;
  auto token = read_token(query.continue_token, kind, query.name_space);
  token->revision = -1;
  token->remaining = -1;
  details.continue_token = write_token(*token, kind, query.name_space);
  return std::unexpected(Error{
      Reason::Expired,
      "The provided continue parameter is too old to display a consistent list result. You can "
      "start a new list without the continue parameter, or use the continue token in this response "
      "to retrieve the remainder of the results. Continuing with the provided token results in an "
      "inconsistent list - objects that were created, modified, or deleted between the time the "
      "first chunk was returned and now may show up in the list.",
      std::make_shared<const ErrorDetails>(std::move(details))});
}

// The objects an index gives at once: by name, or by a field that is indexed.
std::optional<std::vector<ObjectPtr>> from_index(const View& view, const Kind& kind,
                                                 const Selection& selection) {
  const std::string* name = selection.fields.equals("metadata.name");
  if (name && (!kind.namespaced() || !selection.name_space.empty())) {
    ObjectPtr object = view.get(kind, selection.name_space, *name);
    return object ? std::vector{std::move(object)} : std::vector<ObjectPtr>{};
  }
  for (const auto& field : kind.selectable_fields) {
    if (!field.indexed) continue;
    if (const std::string* value = selection.fields.equals(field.path)) {
      return view.with_field(kind, field.path, *value);
    }
  }
  return std::nullopt;
}

// False: no index helps, or what it gives is more than a page.
bool fill_from_index(const View& view, const Kind& kind, const Selection& selection,
                     const Page& page, ListAnswer& answer) {
  auto candidates = from_index(view, kind, selection);
  if (!candidates) return false;
  std::erase_if(*candidates, [&](const ObjectPtr& object) { return !selection.matches(*object); });
  if (page.limit > 0 && candidates->size() > static_cast<std::size_t>(page.limit)) return false;
  answer.items = std::move(*candidates);
  return true;
}

// Walks keys from page.after on; counts what follows the page if nothing narrows the list.
Result<> fill(const Store& store, const Kind& kind, const Selection& selection, const Page& page,
              ListAnswer& answer) {
  const auto limit = static_cast<std::size_t>(page.limit);
  const bool counts = selection.everything() && page.remaining < 0;
  std::string prefix = selection.name_space.empty() ? "" : selection.name_space + "/";
  std::int64_t following = 0;
  bool more = false;
  auto ok = store.each_at(page.revision, kind, std::max(page.after, prefix),
                          [&](const ObjectPtr& object) {
                            if (!prefix.empty() && object->name_space != selection.name_space)
                              return false;
                            if (!selection.matches(*object)) return true;
                            if (limit == 0 || answer.items.size() < limit) {
                              answer.items.push_back(object);
                              return true;
                            }
                            more = true;
                            ++following;
                            return counts;
                          });
  if (!ok || !more) return ok;
  if (selection.everything()) {
    answer.remaining =
        counts ? following : page.remaining - static_cast<std::int64_t>(answer.items.size());
  }
  answer.continue_token = write_token({.revision = page.revision,
                                       .remaining = answer.remaining,
                                       .after = key_of(*answer.items.back())},
                                      kind, selection.name_space);
  return {};
}

}  // namespace

Result<ListAnswer> Registry::list(const Kind& kind, const ListQuery& query) {
  auto selection =
      Selection::parse(kind, query.name_space, query.label_selector, query.field_selector);
  if (!selection) return std::unexpected(selection.error());
  auto page = first_page(kind.storage(), query, store_.revision());
  if (!page) return std::unexpected(page.error());
  const Kind& kept = kind.storage();
  ListAnswer answer{.revision = page->revision};
  if (page->after.empty() && page->revision == store_.revision()) {
    if (fill_from_index(view(), kept, *selection, *page, answer)) return served_list(kind, answer);
    if (selection->everything() && selection->name_space.empty()) {
      page->remaining = static_cast<std::int64_t>(view().count(kept));
    }
  }
  if (auto ok = fill(store_, kept, *selection, *page, answer); !ok) {
    return ok.error().reason == Reason::Expired ? too_old(kept, query)
                                                : std::unexpected(ok.error());
  }
  return served_list(kind, std::move(answer));
}

}  // namespace keelson
