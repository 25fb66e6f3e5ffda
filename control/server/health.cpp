// Health goes through the core, for that is what must be alive; a core that does not answer in time
// is not.
#include "control/server/health.h"

namespace keelson {
namespace {

constexpr Duration patience = 5s;

struct Finding {
  std::string name;
  Result<> outcome;
};

// The answer that is given once: by the core, or when patience ends.
class Examination : public std::enable_shared_from_this<Examination> {
 public:
  Examination(Hands& hands, CallPtr call)
      : hands_(hands), call_(std::move(call)), what_(call_->target().segments[0]) {}
  void start();

 private:
  std::vector<Finding> examine() const;
  void answer(const std::vector<Finding>& findings);

  Hands& hands_;
  CallPtr call_;
  const std::string what_;  // "livez"
  Pending timer_;           // of the loop it was begun on
};

void Examination::start() {
  SystemLoop& loop = hands_.any_io_loop();
  loop.post([self = shared_from_this(), &loop] {
    self->timer_ = loop.after(patience, [self] {
      self->answer({{"ping", fail(Reason::Timeout, "the core does not answer")}});
    });
    self->hands_.core.post([self, &loop] {
      loop.post([self, findings = self->examine()] { self->answer(findings); });
    });
  });
}

// On the core.
std::vector<Finding> Examination::examine() const {
  std::vector<Finding> findings{{"ping", {}}};
  if (what_ == "livez") return findings;
  for (const HealthCheck& check : hands_.health.checks()) {
    findings.push_back({check.name, check.check()});
  }
  return findings;
}

void Examination::answer(const std::vector<Finding>& findings) {
  if (!call_) return;  // answered
  const CallPtr call = std::move(call_);
  timer_.reset();
  const auto& segments = call->target().segments;
  const std::string wanted = segments.size() > 1 ? segments[1] : "";
  std::string text;
  bool found = false, failed = false;
  for (const Finding& finding : findings) {
    if (!wanted.empty() && finding.name != wanted) continue;
    found = true;
    text += fmt::format("[{}]{} {}\n", finding.outcome ? '+' : '-', finding.name,
                        finding.outcome ? "ok" : "failed: " + finding.outcome.error().message);
    failed |= !finding.outcome;
  }
  if (!found) {
    return call->fail({Reason::NotFound, "there is no health check " + wanted, nullptr});
  }
  text += fmt::format("{} check {}\n", what_, failed ? "failed" : "passed");
  const bool verbose = call->target().parameter("verbose") != nullptr;
  if (failed) return call->respond_text(500, std::move(text));
  call->respond_text(200, verbose ? std::move(text) : "ok");
}

}  // namespace

void serve_health(Hands& hands, CallPtr call) {
  if (call->request().method != "GET" && call->request().method != "HEAD") {
    return call->fail({Reason::MethodNotAllowed,
                       "the server does not allow this method on the requested resource", nullptr});
  }
  std::make_shared<Examination>(hands, std::move(call))->start();
}

}  // namespace keelson
