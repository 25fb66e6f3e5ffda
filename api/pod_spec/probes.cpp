// Probes and lifecycle handlers.
#include "api/pod_spec/parts.h"
#include "api/proto/util/int_or_string.pb.h"

namespace keelson::pod_spec {
namespace {

void check_exec(Checker& checker, const FieldPath& path, const core::ExecAction& action) {
  if (action.command().empty()) checker.errors.required(path / "command");
}

void check_http(Checker& checker, const FieldPath& path, const core::HTTPGetAction& action) {
  if (action.path().empty()) checker.errors.required(path / "path");
  check_port(path / "port", action.port(), checker.errors);
  if (action.scheme() != "HTTP" && action.scheme() != "HTTPS") {
    checker.errors.not_supported(path / "scheme", action.scheme(), {"HTTP", "HTTPS"});
  }
  for (const auto& header : action.httpheaders()) {
    check_value(path / "httpHeaders", header.name(), check_http_header_name, checker.errors);
  }
}

void check_sleep(Checker& checker, const FieldPath& path, const core::SleepAction& action) {
  const std::int64_t grace = checker.spec.terminationgraceperiodseconds();
  if (action.seconds() > 0 && action.seconds() <= grace) return;
  checker.errors.invalid_number(
      path, action.seconds(),
      fmt::format("must be greater than 0 and less than terminationGracePeriodSeconds ({}). Enable "
                  "AllowPodLifecycleSleepActionZeroValue feature gate for zero sleep.",
                  grace));
}

// Exactly one handler. What probes and lifecycles have in common; the rest is said by `others`.
template <typename Handler, typename Others>
void check_handler(Checker& checker, const FieldPath& path, const Handler& handler, Others others) {
  int count = 0;
  const auto take = [&](const char* name, bool is_set, auto check) {
    if (!is_set) return;
    if (count > 0) {
      checker.errors.forbidden(path / name, "may not specify more than 1 handler type");
      return;
    }
    ++count;
    check(path / name);
  };
  take("exec", handler.has_exec(),
       [&](const FieldPath& at) { check_exec(checker, at, handler.exec()); });
  take("httpGet", handler.has_httpget(),
       [&](const FieldPath& at) { check_http(checker, at, handler.httpget()); });
  take("tcpSocket", handler.has_tcpsocket(), [&](const FieldPath& at) {
    check_port(at / "port", handler.tcpsocket().port(), checker.errors);
  });
  others(take);
  if (count == 0) checker.errors.required(path, "must specify a handler type");
}

void check_probe(Checker& checker, const FieldPath& path, const core::Probe& probe) {
  check_handler(checker, path, probe.handler(), [&](auto take) {
    take("grpc", probe.handler().has_grpc(), [&](const FieldPath& at) {
      check_number(at / "port", probe.handler().grpc().port(), check_port_number, checker.errors);
    });
  });
  check_non_negative(path / "initialDelaySeconds", probe.initialdelayseconds(), checker.errors);
  check_non_negative(path / "timeoutSeconds", probe.timeoutseconds(), checker.errors);
  check_non_negative(path / "periodSeconds", probe.periodseconds(), checker.errors);
  check_non_negative(path / "successThreshold", probe.successthreshold(), checker.errors);
  check_non_negative(path / "failureThreshold", probe.failurethreshold(), checker.errors);
  if (probe.has_terminationgraceperiodseconds() && probe.terminationgraceperiodseconds() <= 0) {
    checker.errors.invalid_number(path / "terminationGracePeriodSeconds",
                                  probe.terminationgraceperiodseconds(), "must be greater than 0");
  }
}

// Of probes that restart a container: one success is enough.
void check_restarting_probe(Checker& checker, const FieldPath& path, const core::Probe& probe) {
  check_probe(checker, path, probe);
  if (probe.successthreshold() == 1) return;
  checker.errors.invalid_number(path / "successThreshold", probe.successthreshold(), "must be 1");
}

void check_lifecycle_handler(Checker& checker, const FieldPath& path,
                             const core::LifecycleHandler& handler) {
  check_handler(checker, path, handler, [&](auto take) {
    take("sleep", handler.has_sleep(),
         [&](const FieldPath& at) { check_sleep(checker, at, handler.sleep()); });
  });
}

}  // namespace

void check_probes(Checker& checker, const FieldPath& path, const core::Container& container) {
  if (container.has_livenessprobe()) {
    check_restarting_probe(checker, path / "livenessProbe", container.livenessprobe());
  }
  if (container.has_readinessprobe()) {
    const FieldPath at = path / "readinessProbe";
    const core::Probe& probe = container.readinessprobe();
    check_probe(checker, at, probe);
    if (probe.has_terminationgraceperiodseconds()) {
      checker.errors.invalid_number(at / "terminationGracePeriodSeconds",
                                    probe.terminationgraceperiodseconds(),
                                    "must not be set for readinessProbes");
    }
  }
  if (container.has_startupprobe()) {
    check_restarting_probe(checker, path / "startupProbe", container.startupprobe());
  }
}

void check_lifecycle(Checker& checker, const FieldPath& path, const core::Lifecycle& lifecycle) {
  if (lifecycle.has_poststart()) {
    check_lifecycle_handler(checker, path / "postStart", lifecycle.poststart());
  }
  if (lifecycle.has_prestop()) {
    check_lifecycle_handler(checker, path / "preStop", lifecycle.prestop());
  }
}

}  // namespace keelson::pod_spec
