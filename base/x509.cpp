// Issuing and reading certificates, by OpenSSL.
#include "base/x509.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <initializer_list>

#include "base/files.h"
#include "base/tls_context.h"

namespace keelson {
namespace {

using BioPtr = OpensslPtr<BIO, BIO_free>;
using X509Ptr = OpensslPtr<X509, X509_free>;
using KeyPtr = OpensslPtr<EVP_PKEY, EVP_PKEY_free>;
using ExtensionPtr = OpensslPtr<X509_EXTENSION, X509_EXTENSION_free>;
using NamesPtr = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;

constexpr Duration clock_skew = 5min;
constexpr int serial_bytes = 16;  // random: 126 bits, as RFC 5280 asks for unpredictable ones
constexpr int life_share_left_for_renewal = 5;

std::unexpected<Error> openssl_failed(std::string_view doing) {
  return fail(Reason::InternalError, "{}: {}", doing, openssl_error());
}

std::string pem_text(const BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<TlsIdentity> to_pem(X509* certificate, EVP_PKEY* key) {
  BioPtr certificate_bio(BIO_new(BIO_s_mem()));
  BioPtr key_bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(certificate_bio.get(), certificate) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return openssl_failed("write a certificate as PEM");
  }
  return TlsIdentity{pem_text(certificate_bio), pem_text(key_bio)};
}

Result<X509Ptr> parse_certificate(const std::string& pem) {
  BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) return fail(Reason::Invalid, "certificate: {}", openssl_error());
  return certificate;
}

Result<KeyPtr> parse_key(const std::string& pem) {
  BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // A passphrase is never asked for on the terminal: there is none.
  char none[] = "";
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, none));
  if (key == nullptr) return fail(Reason::Invalid, "private key: {}", openssl_error());
  return key;
}

bool add_name_entry(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

bool set_subject(X509* certificate, const CertificateSpec& spec) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  for (const std::string& organization : spec.organizations) {
    if (!add_name_entry(subject, "O", organization)) return false;
  }
  return spec.common_name.empty() || add_name_entry(subject, "CN", spec.common_name);
}

bool set_validity(X509* certificate, WallTime from, WallTime to) {
  const std::time_t begin = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(from));
  const std::time_t end = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(to));
  return ASN1_TIME_set(X509_getm_notBefore(certificate), begin) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), end) != nullptr;
}

bool set_random_serial(X509* certificate) {
  unsigned char bytes[serial_bytes];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) return false;
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x3f) | 0x40);  // positive, of full length
  OpensslPtr<BIGNUM, BN_free> number(BN_bin2bn(bytes, sizeof(bytes), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool append_name(GENERAL_NAMES* names, const std::string& text) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  if (ASN1_OCTET_STRING* address = a2i_IPADDRESS(text.c_str())) {
    GENERAL_NAME_set0_value(name, GEN_IPADD, address);
  } else {
    ASN1_IA5STRING* dns = ASN1_IA5STRING_new();
    ASN1_STRING_set(dns, text.data(), static_cast<int>(text.size()));
    GENERAL_NAME_set0_value(name, GEN_DNS, dns);
  }
  return sk_GENERAL_NAME_push(names, name) > 0;
}

bool add_names(X509* certificate, const std::vector<std::string>& texts) {
  if (texts.empty()) return true;
  NamesPtr names(sk_GENERAL_NAME_new_null());
  for (const std::string& text : texts) {
    if (!append_name(names.get(), text)) return false;
  }
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) == 1;
}

bool add_leaf_extensions(X509* certificate, X509* issuer, const CertificateSpec& spec) {
  const char* usage = spec.server && spec.client ? "serverAuth,clientAuth"
                      : spec.server              ? "serverAuth"
                                                 : "clientAuth";
  return add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature") &&
         add_extension(certificate, issuer, NID_ext_key_usage, usage) &&
         add_extension(certificate, issuer, NID_authority_key_identifier, "keyid") &&
         add_names(certificate, spec.names);
}

bool add_authority_extensions(X509* certificate) {
  return add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         add_extension(certificate, certificate, NID_key_usage,
                       "critical,digitalSignature,keyCertSign,cRLSign") &&
         add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
}

// A certificate of version 3 with everything but extensions and signature.
Result<X509Ptr> begin_certificate(const CertificateSpec& spec, EVP_PKEY* key, WallTime from,
                                  WallTime to) {
  X509Ptr certificate(X509_new());
  if (certificate == nullptr || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      !set_random_serial(certificate.get()) || !set_validity(certificate.get(), from, to) ||
      !set_subject(certificate.get(), spec) || X509_set_pubkey(certificate.get(), key) != 1) {
    return openssl_failed("make a certificate");
  }
  return certificate;
}

WallTime time_of(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) return {};
  return std::chrono::system_clock::from_time_t(::timegm(&fields));
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  ::inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof(text));
  return text;
}

std::vector<std::string> alternative_names(X509* certificate) {
  std::vector<std::string> texts;
  NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    auto* value = static_cast<ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type == GEN_DNS) {
      texts.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                         static_cast<std::size_t>(ASN1_STRING_length(value)));
    } else if (type == GEN_IPADD) {
      texts.push_back(address_text(value));
    }
  }
  return texts;
}

std::string canonical(const std::string& name) {
  unsigned char bytes[16];
  char text[INET6_ADDRSTRLEN] = "";
  if (::inet_pton(AF_INET6, name.c_str(), bytes) != 1) return name;
  return ::inet_ntop(AF_INET6, bytes, text, sizeof(text));
}

}  // namespace

struct CertificateAuthority::Keys {
  X509Ptr certificate;
  KeyPtr key;
};

Result<CertificateAuthority> CertificateAuthority::make(const std::string& common_name,
                                                        WallTime now, Duration lifetime) {
  KeyPtr key(EVP_EC_gen("P-256"));
  if (key == nullptr) return openssl_failed("make a key");
  auto certificate =
      begin_certificate({.common_name = common_name}, key.get(), now - clock_skew, now + lifetime);
  if (!certificate) return std::unexpected(certificate.error());
  X509* raw = certificate->get();
  if (X509_set_issuer_name(raw, X509_get_subject_name(raw)) != 1 ||
      !add_authority_extensions(raw) || X509_sign(raw, key.get(), EVP_sha256()) == 0) {
    return openssl_failed("sign the certificate of the authority");
  }
  auto identity = to_pem(raw, key.get());
  if (!identity) return std::unexpected(identity.error());
  return CertificateAuthority(
      std::make_shared<const Keys>(Keys{std::move(*certificate), std::move(key)}),
      std::move(*identity));
}

Result<CertificateAuthority> CertificateAuthority::parse(const TlsIdentity& identity) {
  auto certificate = parse_certificate(identity.certificate_pem);
  if (!certificate) return certificate.error().during("authority");
  auto key = parse_key(identity.key_pem);
  if (!key) return key.error().during("authority");
  if (X509_check_ca(certificate->get()) == 0) {
    return fail(Reason::Invalid, "authority: its certificate is not that of an authority");
  }
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    openssl_error();
    return fail(Reason::Invalid, "authority: the private key does not belong to the certificate");
  }
  return CertificateAuthority(
      std::make_shared<const Keys>(Keys{std::move(*certificate), std::move(*key)}), identity);
}

bool CertificateAuthority::issued(const std::string& certificate_pem) const {
  auto certificate = parse_certificate(certificate_pem);
  if (!certificate) return false;
  OpensslPtr<EVP_PKEY, EVP_PKEY_free> key(X509_get_pubkey(keys_->certificate.get()));
  const bool ours = X509_verify(certificate->get(), key.get()) == 1;
  openssl_error();  // a foreign signature leaves one
  return ours;
}

Result<TlsIdentity> CertificateAuthority::issue(const CertificateSpec& spec, WallTime now) const {
  X509* issuer = keys_->certificate.get();
  KeyPtr key(EVP_EC_gen("P-256"));
  if (key == nullptr) return openssl_failed("make a key");
  const WallTime end = std::min(now + spec.lifetime, time_of(X509_get0_notAfter(issuer)));
  auto certificate = begin_certificate(spec, key.get(), now - clock_skew, end);
  if (!certificate) return certificate.error().during("issue {:?}", spec.common_name);
  X509* raw = certificate->get();
  if (X509_set_issuer_name(raw, X509_get_subject_name(issuer)) != 1 ||
      !add_leaf_extensions(raw, issuer, spec) ||
      X509_sign(raw, keys_->key.get(), EVP_sha256()) == 0) {
    return fail(Reason::InternalError, "issue {:?}: {}", spec.common_name, openssl_error());
  }
  return to_pem(raw, key.get());
}

Result<CertificateFacts> read_certificate(const std::string& certificate_pem) {
  auto certificate = parse_certificate(certificate_pem);
  if (!certificate) return std::unexpected(certificate.error());
  X509* raw = certificate->get();
  TlsPeer subject = describe_peer(*raw);
  return CertificateFacts{.common_name = std::move(subject.common_name),
                          .organizations = std::move(subject.organizations),
                          .names = alternative_names(raw),
                          .not_before = time_of(X509_get0_notBefore(raw)),
                          .not_after = time_of(X509_get0_notAfter(raw)),
                          .is_authority = X509_check_ca(raw) != 0};
}

bool needs_renewal(const CertificateFacts& facts, const std::vector<std::string>& names,
                   WallTime now) {
  const Duration life = facts.not_after - facts.not_before;
  if (now >= facts.not_after - life / life_share_left_for_renewal) return true;
  return !std::ranges::all_of(names, [&](const std::string& name) {
    return std::ranges::find(facts.names, canonical(name)) != facts.names.end();
  });
}

Result<> store_identity(const std::string& folder, const std::string& name,
                        const TlsIdentity& identity) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno(errno, "make the folder {}", folder);
  }
  const std::string stem = folder + "/" + name;
  if (Result<> done = replace_file(stem + ".key", identity.key_pem, 0600); !done) return done;
  return replace_file(stem + ".crt", identity.certificate_pem, 0600);
}

Result<TlsIdentity> load_identity(const std::string& folder, const std::string& name) {
  const std::string stem = folder + "/" + name;
  auto certificate = read_file(stem + ".crt");
  if (!certificate) return std::unexpected(certificate.error());
  auto key = read_file(stem + ".key");
  if (!key) return std::unexpected(key.error());
  TlsIdentity identity{std::move(*certificate), std::move(*key)};
  auto parsed = parse_certificate(identity.certificate_pem);
  if (!parsed) return parsed.error().during("load {}.crt", stem);
  auto parsed_key = parse_key(identity.key_pem);
  if (!parsed_key) return parsed_key.error().during("load {}.key", stem);
  if (X509_check_private_key(parsed->get(), parsed_key->get()) != 1) {
    openssl_error();
    return fail(Reason::Invalid, "load {}: certificate and key do not belong together", stem);
  }
  return identity;
}

Result<CertificateAuthority> load_or_make_authority(const std::string& folder,
                                                    const std::string& name,
                                                    const std::string& common_name, WallTime now) {
  auto kept = load_identity(folder, name);
  if (kept) return CertificateAuthority::parse(*kept);
  if (kept.error().reason != Reason::NotFound) return std::unexpected(kept.error());
  if (::access((folder + "/" + name + ".crt").c_str(), F_OK) == 0) {
    return fail(Reason::Invalid, "load {}/{}.key: it is missing, though the certificate is there",
                folder, name);
  }
  auto made = CertificateAuthority::make(common_name, now);
  if (!made) return made;
  if (Result<> stored = store_identity(folder, name, made->identity()); !stored) {
    return std::unexpected(stored.error());
  }
  return made;
}

Result<TlsIdentity> load_or_issue(const CertificateAuthority& authority, const KeptIdentity& kept,
                                  WallTime now) {
  if (auto identity = load_identity(kept.folder, kept.name)) {
    auto facts = read_certificate(identity->certificate_pem);
    const bool as_asked = facts && facts->common_name == kept.spec.common_name &&
                          facts->organizations == kept.spec.organizations &&
                          !needs_renewal(*facts, kept.spec.names, now);
    if (as_asked && authority.issued(identity->certificate_pem)) return identity;
  }
  auto issued = authority.issue(kept.spec, now);
  if (!issued) return issued;
  if (Result<> stored = store_identity(kept.folder, kept.name, *issued); !stored) {
    return std::unexpected(stored.error());
  }
  return issued;
}

}  // namespace keelson
