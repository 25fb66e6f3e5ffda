// One function a verb: what it reads on the I/O thread, and what it asks of the registry on the
// core. Nothing goes out before the revision it shows is durable, not even a refusal.
#include "control/server/resource_calls.h"

#include "api/json.h"
#include "api/proto/meta/v1/status.pb.h"
#include "api/protobuf.h"
#include "api/schema.h"
#include "control/server/body.h"
#include "control/server/list_stream.h"
#include "control/server/pod_subresources.h"
#include "control/server/query.h"
#include "control/server/watch_stream.h"

namespace keelson {
namespace {

bool is_browser_or_curl(std::string_view user_agent) {
  return user_agent.starts_with("curl") || user_agent.starts_with("Wget") ||
         user_agent.starts_with("Mozilla/5.0");
}

Presentation presentation_of(const Call& call) {
  const Query query(call.target());
  Presentation as{.output = call.output};
  as.pretty = query.has("pretty") ? query.flag("pretty")
                                  : is_browser_or_curl(call.request().headers.get("User-Agent"));
  const std::string include = query.text("includeObject");
  if (include == "None") as.include_object = IncludeObject::None;
  if (include == "Object") as.include_object = IncludeObject::Object;
  return as;
}

// Status: Success, about what was done.
HttpResponse success(const Object& object, int code, const Output& output) {
  meta::Status status;
  status.set_status("Success");
  if (code == 200) {
    meta::StatusDetails& details = *status.mutable_details();
    details.set_name(object.name);
    details.set_group(std::string(object.kind->group));
    details.set_kind(std::string(object.kind->plural));
    details.set_uid(object.uid);
  } else {
    status.set_code(code);
  }
  const std::string bytes = canonical_bytes(status);
  std::string text;
  if (output.media == Media::Protobuf) {
    text = to_envelope("v1", "Status", bytes);
  } else {
    append_json(text, schema_of(status), bytes, "v1", "Status");
    text += '\n';
  }
  return {.status = code,
          .headers = {{"Content-Type", std::string(content_type({.media = output.media}))}},
          .body = {make_bytes(std::move(text))}};
}

// On the core: runs the task on an I/O loop once everything up to the revision is durable.
using LoopTask = std::move_only_function<void(SystemLoop&)>;
void when_durable(Hands& hands, Revision revision, LoopTask task) {
  hands.registry.store().when_durable(revision, [&hands, task = std::move(task)]() mutable {
    SystemLoop& loop = hands.any_io_loop();
    loop.post([&loop, task = std::move(task)]() mutable { task(loop); });
  });
}

// On the core.
void refuse(Hands& hands, CallPtr call, Error error) {
  when_durable(
      hands, hands.registry.store().revision(),
      [call = std::move(call), error = std::move(error)](SystemLoop&) { call->fail(error); });
}

void answer(Hands& hands, CallPtr call, Result<Answer> result) {
  if (!result) return refuse(hands, std::move(call), std::move(result.error()));
  when_durable(
      hands, result->revision,
      [&hands, call = std::move(call), answer = std::move(*result)](SystemLoop&) {
        const int code = answer.created ? 201 : 200;
        if (answer.status_only) return call->respond(success(*answer.object, code, call->output));
        std::string text = encode_object(answer.object, presentation_of(*call), hands.wall());
        call->respond({.status = code,
                       .headers = {{"Content-Type", std::string(content_type(call->output))}},
                       .body = {make_bytes(std::move(text))}});
      });
}

void answer_list(Hands& hands, CallPtr call, const Kind& kind, Result<ListAnswer> result) {
  if (!result) return refuse(hands, std::move(call), std::move(result.error()));
  when_durable(hands, result->revision,
               [&hands, &kind, call = std::move(call),
                answer = std::move(*result)](SystemLoop& loop) mutable {
                 ListMetadata metadata{.resource_version = std::to_string(answer.revision),
                                       .continue_token = std::move(answer.continue_token),
                                       .remaining = answer.remaining};
                 ListEncoder encoder(kind, std::move(answer.items), std::move(metadata),
                                     presentation_of(*call), hands.wall());
                 respond_list(loop, std::move(call), std::move(encoder));
               });
}

template <typename Work>
void on_core(Hands& hands, CallPtr call, Work work) {
  hands.core.post(
      [call = std::move(call), work = std::move(work)]() mutable { work(std::move(call)); });
}

void get(Hands& hands, CallPtr call, const ResourceRequest& request) {
  const std::string revision = Query(call->target()).text("resourceVersion");
  on_core(hands, std::move(call), [&hands, request, revision](CallPtr asked) {
    answer(hands, std::move(asked), hands.registry.get(request.target(), revision));
  });
}

void list(Hands& hands, CallPtr call, const ResourceRequest& request) {
  auto query = list_query(Query(call->target()), request.name_space);
  if (!query) return call->fail(query.error());
  on_core(hands, std::move(call), [&hands, kind = request.kind, query = *query](CallPtr asked) {
    answer_list(hands, std::move(asked), *kind, hands.registry.list(*kind, query));
  });
}

void create(Hands& hands, CallPtr call, const ResourceRequest& request) {
  if (auto ok = write_options(Query(call->target()), "CreateOptions", call->context); !ok) {
    return call->fail(ok.error());
  }
  auto message =
      read_object(body_kind(*request.kind, request.subresource),
                  call->request().headers.get("Content-Type"), call->take_body(), call->context);
  if (!message) return call->fail(message.error());
  on_core(hands, std::move(call),
          [&hands, request, message = std::move(*message)](CallPtr asked) mutable {
            auto made = hands.registry.create(request.target(), std::move(message), asked->context);
            if (made) made->created = true;
            answer(hands, std::move(asked), std::move(made));
          });
}

void update(Hands& hands, CallPtr call, const ResourceRequest& request) {
  if (auto ok = write_options(Query(call->target()), "UpdateOptions", call->context); !ok) {
    return call->fail(ok.error());
  }
  auto message =
      read_object(body_kind(*request.kind, request.subresource),
                  call->request().headers.get("Content-Type"), call->take_body(), call->context);
  if (!message) return call->fail(message.error());
  on_core(hands, std::move(call),
          [&hands, request, message = std::move(*message)](CallPtr asked) mutable {
            auto written =
                hands.registry.update(request.target(), std::move(message), asked->context);
            answer(hands, std::move(asked), std::move(written));
          });
}

void patch(Hands& hands, CallPtr call, const ResourceRequest& request) {
  const std::string content_type(call->request().headers.get("Content-Type"));
  auto body = read_patch(content_type, call->take_body());
  if (!body) return call->fail(body.error());
  // An apply is in somebody's name; there is no default for it.
  if (body->type == PatchType::Apply) call->context.field_manager.clear();
  if (auto ok = write_options(Query(call->target()), "PatchOptions", call->context); !ok) {
    return call->fail(ok.error());
  }
  on_core(hands, std::move(call), [&hands, request, body = std::move(*body)](CallPtr asked) {
    auto written = hands.registry.patch(request.target(), body.type, body.document, asked->context);
    answer(hands, std::move(asked), std::move(written));
  });
}

// From the body, and what the query says of what the body leaves open.
Result<DeleteOptions> delete_options(Call& call) {
  const Query query(call.target());
  auto body = read_delete_options(call.request().headers.get("Content-Type"), call.take_body());
  if (!body) return std::unexpected(body.error());
  auto grace = query.number("gracePeriodSeconds");
  if (!grace) return std::unexpected(grace.error());
  DeleteOptions& options = body->options;
  if (!options.grace_period_seconds) options.grace_period_seconds = *grace;
  if (options.propagation_policy.empty()) {
    options.propagation_policy = query.text("propagationPolicy");
  }
  if (options.propagation_policy.empty() && query.has("orphanDependents")) {
    options.propagation_policy = query.flag("orphanDependents") ? "Orphan" : "Background";
  }
  if (!query.text("dryRun").empty()) body->dry_run.push_back(query.text("dryRun"));
  auto dry = is_dry_run(body->dry_run, "DeleteOptions");
  if (!dry) return std::unexpected(dry.error());
  call.context.dry_run = *dry;
  return options;
}

void remove(Hands& hands, CallPtr call, const ResourceRequest& request) {
  auto options = delete_options(*call);
  if (!options) return call->fail(options.error());
  on_core(hands, std::move(call), [&hands, request, options = *options](CallPtr asked) {
    auto removed = hands.registry.remove(request.target(), options, asked->context);
    answer(hands, std::move(asked), std::move(removed));
  });
}

void remove_collection(Hands& hands, CallPtr call, const ResourceRequest& request) {
  auto query = list_query(Query(call->target()), request.name_space);
  if (!query) return call->fail(query.error());
  auto options = delete_options(*call);
  if (!options) return call->fail(options.error());
  on_core(hands, std::move(call),
          [&hands, kind = request.kind, query = *query, options = *options](CallPtr asked) {
            auto removed = hands.registry.remove_collection(*kind, query, options, asked->context);
            answer_list(hands, std::move(asked), *kind, std::move(removed));
          });
}

bool goes_to_node(const ResourceRequest& request) {
  return request.kind == &kinds::pod() &&
         (request.subresource == "log" || request.subresource == "exec");
}

}  // namespace

void serve_resource(Hands& hands, CallPtr call, ResourceRequest request) {
  if (goes_to_node(request)) return serve_from_node(hands, std::move(call), request);
  auto output = negotiate(call->request().headers.get("Accept"));
  if (!output) return call->fail(output.error());
  call->output = *output;
  struct Row {
    std::string_view verb;
    void (*serve)(Hands&, CallPtr, const ResourceRequest&);
  };
  constexpr Row rows[] = {
      {"get", get},           {"list", list},
      {"watch", serve_watch}, {"create", create},
      {"update", update},     {"patch", patch},
      {"delete", remove},     {"deletecollection", remove_collection},
  };
  for (const Row& row : rows) {
    if (row.verb == request.verb) return row.serve(hands, std::move(call), request);
  }
}

}  // namespace keelson
