// Certificates: an authority of our own, what it issues, and what a certificate says. Keys are EC
// P-256.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/tls.h"

namespace keelson {

struct CertificateSpec {
  std::string common_name;
  std::vector<std::string> organizations = {};
  std::vector<std::string> names = {};  // subject alternative names: DNS names and addresses
  bool server = false;                  // what its key may be used for
  bool client = false;
  Duration lifetime = 365 * 24h;
};

class CertificateAuthority {
 public:
  static Result<CertificateAuthority> make(const std::string& common_name, WallTime now,
                                           Duration lifetime = 10 * 365 * 24h);
  // Invalid: not a CA's certificate, or not its key.
  static Result<CertificateAuthority> parse(const TlsIdentity& identity);

  const TlsIdentity& identity() const { return identity_; }  // its own certificate and key
  // Did we sign it? False, too, of what is no certificate.
  bool issued(const std::string& certificate_pem) const;
  // With a new key; valid from a little before now (clocks differ) and never longer than we are.
  Result<TlsIdentity> issue(const CertificateSpec& spec, WallTime now) const;

 private:
  struct Keys;
  explicit CertificateAuthority(std::shared_ptr<const Keys> keys, TlsIdentity identity)
      : keys_(std::move(keys)), identity_(std::move(identity)) {}

  std::shared_ptr<const Keys> keys_;
  TlsIdentity identity_;
};

// What the first certificate of a PEM text says.
struct CertificateFacts {
  std::string common_name;
  std::vector<std::string> organizations;
  std::vector<std::string> names;  // addresses in their canonical text
  WallTime not_before{};
  WallTime not_after{};
  bool is_authority = false;
};
Result<CertificateFacts> read_certificate(const std::string& certificate_pem);

// Time for a new one: less than a fifth of its life is left, or it does not name all of these.
bool needs_renewal(const CertificateFacts& facts, const std::vector<std::string>& names,
                   WallTime now);

// FOLDER/NAME.crt and FOLDER/NAME.key, both 0600, each replaced atomically, the key first. The
// folder is made (0700) if it is missing.
Result<> store_identity(const std::string& folder, const std::string& name,
                        const TlsIdentity& identity);
// NotFound: not both are there. Invalid: they do not belong together (a crash between the two).
Result<TlsIdentity> load_identity(const std::string& folder, const std::string& name);

// What is kept there, or else a new one that is kept from now on. An authority is never replaced: a
// damaged one is an error.
Result<CertificateAuthority> load_or_make_authority(const std::string& folder,
                                                    const std::string& name,
                                                    const std::string& common_name, WallTime now);
// What is kept there if the authority issued it as asked for and it is not due for renewal; else a
// new one that is kept from now on.
struct KeptIdentity {
  std::string folder;
  std::string name;
  CertificateSpec spec;
};
Result<TlsIdentity> load_or_issue(const CertificateAuthority& authority, const KeptIdentity& kept,
                                  WallTime now);

}  // namespace keelson
