// Findings in Kubernetes' words.
#include "api/field_errors.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

TEST_GROUP(FieldErrors){};

TEST(FieldErrors, says_each_finding_in_kubernetes_words) {
  struct Case {
    void (*find)(FieldErrors&, const FieldPath&);
    const char* reason;
    const char* message;
  };
  const Case cases[] = {
      {[](FieldErrors& e, const FieldPath& p) { e.required(p); }, "FieldValueRequired",
       "Required value"},
      {[](FieldErrors& e, const FieldPath& p) { e.required(p, "must be"); }, "FieldValueRequired",
       "Required value: must be"},
      {[](FieldErrors& e, const FieldPath& p) { e.invalid(p, "a\"b\n", "no"); },
       "FieldValueInvalid", "Invalid value: \"a\\\"b\\n\": no"},
      {[](FieldErrors& e, const FieldPath& p) { e.invalid_number(p, -1, "no"); },
       "FieldValueInvalid", "Invalid value: -1: no"},
      {[](FieldErrors& e, const FieldPath& p) {
         e.not_supported(p, "x", {"A", "B"});
       },
       "FieldValueNotSupported", "Unsupported value: \"x\": supported values: \"A\", \"B\""},
      {[](FieldErrors& e, const FieldPath& p) { e.forbidden(p, "no"); }, "FieldValueForbidden",
       "Forbidden: no"},
      {[](FieldErrors& e, const FieldPath& p) { e.duplicate(p, "x"); }, "FieldValueDuplicate",
       "Duplicate value: \"x\""},
      {[](FieldErrors& e, const FieldPath& p) { e.not_found(p, "x"); }, "FieldValueNotFound",
       "Not found: \"x\""},
      {[](FieldErrors& e, const FieldPath& p) { e.too_long(p, 63); }, "FieldValueTooLong",
       "Too long: may not be more than 63 bytes"},
      {[](FieldErrors& e, const FieldPath& p) { e.too_many(p, 3, 1); }, "FieldValueTooMany",
       "Too many: 3: must have at most 1 item"},
  };
  for (const auto& c : cases) {
    FieldErrors errors;
    c.find(errors, FieldPath() / "spec" / "f");
    CHECK_EQUAL_TEXT(std::string(c.reason), errors.causes().at(0).reason, c.message);
    CHECK_EQUAL_TEXT(std::string(c.message), errors.causes().at(0).message, c.message);
    CHECK_EQUAL_TEXT(std::string("spec.f"), errors.causes().at(0).field, c.message);
  }
}

TEST(FieldErrors, makes_one_status_of_all_findings) {
  FieldErrors errors;
  const FieldPath containers = FieldPath() / "spec" / "containers";
  errors.required(containers[0] / "image");
  Error one = errors.to_error("", "Pod", "web");
  CHECK(one.reason == Reason::Invalid);
  CHECK_EQUAL(std::string("Pod \"web\" is invalid: spec.containers[0].image: Required value"),
              one.message);
  errors.required((FieldPath() / "metadata" / "labels").key("app"));
  errors.required(containers[0] / "image");
  const Error all = errors.to_error("apps", "Deployment", "web");
  CHECK_EQUAL(std::string("Deployment.apps \"web\" is invalid: [spec.containers[0].image: Required "
                          "value, metadata.labels[app]: Required value]"),
              all.message);
  LONGS_EQUAL(3, all.details->causes.size());
  CHECK_EQUAL(std::string("Deployment"), all.details->kind);
  CHECK_EQUAL(std::string("apps"), all.details->group);
}
