// What we issue, read back; and files of it.
#include "base/x509.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

const WallTime noon = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) + 12h;

}  // namespace

TEST_GROUP(X509) {
  CertificateAuthority authority = std::move(*CertificateAuthority::make("keelson-ca", noon));
  std::string folder;

  void setup() override {
    char made[] = "/tmp/keelson-x509-XXXXXX";
    folder = ::mkdtemp(made);
  }
  void teardown() override {
    for (const char* name : {"/a.crt", "/a.key", "/pki/a.crt", "/pki/a.key"})
      ::unlink((folder + name).c_str());
    ::rmdir((folder + "/pki").c_str());
    ::rmdir(folder.c_str());
  }
  void expect_error(const char* part, const Error& error) {
    CHECK_TEXT(error.message.contains(part), error.message.c_str());
  }
};

TEST(X509, an_issued_certificate_says_what_was_asked) {
  auto issued = authority.issue({.common_name = "system:node:node-1",
                                 .organizations = {"system:nodes"},
                                 .names = {"node-1", "10.89.0.11", "fd00:0::1", "*.svc"},
                                 .server = true,
                                 .client = true,
                                 .lifetime = 24h},
                                noon);
  CHECK(issued.has_value());
  auto facts = read_certificate(issued->certificate_pem);
  CHECK(facts.has_value());
  STRCMP_EQUAL("system:node:node-1", facts->common_name.c_str());
  CHECK(facts->organizations == std::vector<std::string>{"system:nodes"});
  CHECK(facts->names == (std::vector<std::string>{"node-1", "10.89.0.11", "fd00::1", "*.svc"}));
  CHECK(facts->not_after == noon + 24h);
  CHECK(facts->not_before < noon && facts->not_before > noon - 1h);
  CHECK(!facts->is_authority);
}

TEST(X509, the_authority_names_itself_one) {
  auto facts = read_certificate(authority.identity().certificate_pem);
  STRCMP_EQUAL("keelson-ca", facts->common_name.c_str());
  CHECK(facts->is_authority);
}

TEST(X509, no_certificate_outlives_its_authority) {
  auto brief = CertificateAuthority::make("brief", noon, 1h);
  auto issued = brief->issue({.common_name = "x", .server = true, .lifetime = 24h}, noon);
  CHECK(read_certificate(issued->certificate_pem)->not_after == noon + 1h);
}

TEST(X509, no_two_certificates_share_a_key_or_text) {
  auto one = authority.issue({.common_name = "x", .client = true}, noon);
  auto two = authority.issue({.common_name = "x", .client = true}, noon);
  CHECK(one->key_pem != two->key_pem);
  CHECK(one->certificate_pem != two->certificate_pem);
}

TEST(X509, an_authority_is_the_same_after_its_pem) {
  auto again = CertificateAuthority::parse(authority.identity());
  CHECK(again.has_value());
  CHECK(again->issue({.common_name = "x", .client = true}, noon).has_value());
}

TEST(X509, an_authority_needs_its_own_certificate_and_key) {
  const TlsIdentity leaf = *authority.issue({.common_name = "x", .client = true}, noon);
  const CertificateAuthority other = std::move(*CertificateAuthority::make("other", noon));
  const TlsIdentity& own = authority.identity();
  expect_error("not that of an authority", CertificateAuthority::parse(leaf).error());
  expect_error(
      "does not belong",
      CertificateAuthority::parse({own.certificate_pem, other.identity().key_pem}).error());
  expect_error("authority: certificate: ", CertificateAuthority::parse({"", own.key_pem}).error());
  expect_error("authority: private key: ",
               CertificateAuthority::parse({own.certificate_pem, ""}).error());
}

TEST(X509, a_subject_that_is_too_long_is_refused) {
  auto issued = authority.issue({.common_name = std::string(100, 'x'), .client = true}, noon);
  CHECK(!issued.has_value());
  expect_error("issue \"xxx", issued.error());
}

TEST(X509, renewal_is_due_in_the_last_fifth_or_for_new_names) {
  auto issued = authority.issue(
      {.common_name = "x", .names = {"a", "10.0.0.1"}, .server = true, .lifetime = 100h}, noon);
  const CertificateFacts facts = *read_certificate(issued->certificate_pem);
  CHECK(!needs_renewal(facts, {"a", "10.0.0.1"}, noon));
  CHECK(!needs_renewal(facts, {}, noon + 79h));
  CHECK(needs_renewal(facts, {}, noon + 81h));
  CHECK(needs_renewal(facts, {"b"}, noon));
  CHECK(needs_renewal(facts, {"10.0.0.2"}, noon));
}

TEST(X509, an_identity_is_kept_for_its_owner_alone) {
  const TlsIdentity identity = *authority.issue({.common_name = "x", .client = true}, noon);
  const std::string pki = folder + "/pki";
  CHECK(store_identity(pki, "a", identity).has_value());
  struct stat info {};
  CHECK(::stat((pki + "/a.key").c_str(), &info) == 0);
  LONGS_EQUAL(0600, info.st_mode & 07777);
  CHECK(::stat(pki.c_str(), &info) == 0);
  LONGS_EQUAL(0700, info.st_mode & 07777);
  auto loaded = load_identity(pki, "a");
  CHECK(loaded.has_value());
  CHECK(loaded->key_pem == identity.key_pem && loaded->certificate_pem == identity.certificate_pem);
}

TEST(X509, loading_says_what_is_missing_or_broken) {
  const TlsIdentity one = *authority.issue({.common_name = "x", .client = true}, noon);
  const TlsIdentity two = *authority.issue({.common_name = "x", .client = true}, noon);
  auto missing = load_identity(folder, "a");
  CHECK(missing.error().reason == Reason::NotFound);
  CHECK(replace_file(folder + "/a.key", two.key_pem, 0600).has_value());
  CHECK(load_identity(folder, "a").error().reason == Reason::NotFound);
  CHECK(replace_file(folder + "/a.crt", one.certificate_pem, 0600).has_value());
  expect_error("do not belong together", load_identity(folder, "a").error());
  CHECK(replace_file(folder + "/a.crt", "junk", 0600).has_value());
  expect_error("a.crt", load_identity(folder, "a").error());
}

TEST(X509, an_authority_is_made_once_and_never_replaced) {
  auto first = load_or_make_authority(folder, "a", "ca", noon);
  CHECK(first.has_value());
  auto second = load_or_make_authority(folder, "a", "ca", noon + 24h);
  CHECK(second.has_value());
  CHECK(first->identity().certificate_pem == second->identity().certificate_pem);
  CHECK(replace_file(folder + "/a.key", "junk", 0600).has_value());
  CHECK(!load_or_make_authority(folder, "a", "ca", noon).has_value());
  ::unlink((folder + "/a.key").c_str());
  expect_error("it is missing", load_or_make_authority(folder, "a", "ca", noon).error());
}

TEST(X509, an_identity_is_issued_anew_only_when_it_must_be) {
  const KeptIdentity kept{
      folder, "a", {.common_name = "x", .names = {"n"}, .server = true, .lifetime = 100h}};
  auto issue = [&](const CertificateAuthority& by, const KeptIdentity& what, WallTime when) {
    auto identity = load_or_issue(by, what, when);
    CHECK(identity.has_value());
    return identity->certificate_pem;
  };
  const std::string first = issue(authority, kept, noon);
  CHECK(first == issue(authority, kept, noon + 10h));
  const std::string renewed = issue(authority, kept, noon + 90h);
  CHECK(first != renewed);
  KeptIdentity more_names = kept;
  more_names.spec.names.push_back("10.0.0.1");
  const std::string named = issue(authority, more_names, noon + 90h);
  CHECK(renewed != named);
  CHECK(named == issue(authority, kept, noon + 90h));  // fewer names are no reason
  const CertificateAuthority other = std::move(*CertificateAuthority::make("keelson-ca", noon));
  const std::string foreign = issue(other, kept, noon + 90h);
  CHECK(named != foreign);
  CHECK(other.issued(foreign) && !other.issued(named) && !other.issued("junk"));
  CHECK(replace_file(folder + "/a.key", "junk", 0600).has_value());
  CHECK(foreign != issue(other, kept, noon + 90h));
}

TEST(X509, storing_fails_clearly) {
  expect_error("/nonexistent/pki",
               store_identity("/nonexistent/pki", "a", authority.identity()).error());
  expect_error("/proc/a.key", store_identity("/proc", "a", authority.identity()).error());
}
