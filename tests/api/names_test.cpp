// Names, labels, keys, ports and addresses in Kubernetes' words.
#include "api/names.h"

#include <CppUTest/TestHarness.h>

using namespace keelson;

namespace {

const std::string subdomain_text =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const std::string label_text =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const std::string dns1035_text =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const std::string name_part_text =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const std::string label_value_text =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const std::string config_key_text =
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
    "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

struct Case {
  Check check;
  std::string value;
  std::vector<std::string> texts;
};

std::string all(const std::vector<std::string>& texts) {
  std::string text;
  for (const auto& one : texts) text += one + "\n";
  return text;
}

void expect(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CHECK_EQUAL_TEXT(all(c.texts), all(c.check(c.value)), c.value.c_str());
  }
}

const std::string long_text = "must be no more than 63 characters";

}  // namespace

TEST_GROUP(Names){};

TEST(Names, of_objects) {
  expect({{check_dns_subdomain, "a", {}},
          {check_dns_subdomain, "a.b-c.9", {}},
          {check_dns_subdomain, std::string(253, 'a'), {}},
          {check_dns_subdomain, std::string(254, 'a'), {"must be no more than 253 characters"}},
          {check_dns_subdomain, "", {subdomain_text}},
          {check_dns_subdomain, "A", {subdomain_text}},
          {check_dns_subdomain, "-a", {subdomain_text}},
          {check_dns_subdomain, "a-", {subdomain_text}},
          {check_dns_subdomain, "a..b", {subdomain_text}},
          {check_dns_subdomain, "a_b", {subdomain_text}},
          {check_dns_label, "9-a", {}},
          {check_dns_label, std::string(64, 'a'), {long_text}},
          {check_dns_label, "a.b", {"must not contain dots"}},
          {check_dns_label, "a.", {label_text}},
          {check_dns_label, "", {label_text}},
          {check_dns1035_label, "a9", {}},
          {check_dns1035_label, "9a", {dns1035_text}},
          {check_dns1035_label, "", {dns1035_text}},
          {check_dns1035_label, "a.b", {dns1035_text}},
          {check_path_segment, "system:node", {}},
          {check_path_segment, ".", {"may not be '.'"}},
          {check_path_segment, "..", {"may not be '..'"}},
          {check_path_segment, "a/b%", {"may not contain '/'", "may not contain '%'"}}});
}

TEST(Names, of_labels_and_keys) {
  expect(
      {{check_qualified_name, "app", {}},
       {check_qualified_name, "example.com/App_1.x", {}},
       {check_qualified_name, "", {"name part must be non-empty", name_part_text}},
       {check_qualified_name, "/a", {"prefix part must be non-empty"}},
       {check_qualified_name, "A/a", {"prefix part " + subdomain_text}},
       {check_qualified_name, "a b", {name_part_text}},
       {check_qualified_name, std::string(64, 'a'), {"name part " + long_text}},
       {check_qualified_name,
        "a/b/c",
        {"a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must "
         "start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or "
         "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with "
         "an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"}},
       {check_label_value, "", {}},
       {check_label_value, "A.b_c-9", {}},
       {check_label_value, "-", {label_value_text}},
       {check_label_value, std::string(64, 'a'), {long_text}},
       {check_config_key, "a.B_c-9", {}},
       {check_config_key, "", {config_key_text}},
       {check_config_key, "a/b", {config_key_text}},
       {check_config_key, ".", {"must not be '.'"}},
       {check_config_key, "..", {"must not be '..'"}},
       {check_config_key, "..a", {"must not start with '..'"}},
       {check_environment_name, "a b$", {}},
       {check_environment_name, "", {"environment variable name must be non-empty"}},
       {check_environment_name,
        "a=b",
        {"a valid environment variable name must consist only of printable ASCII characters other "
         "than '='"}}});
}

TEST(Names, of_ports_and_addresses) {
  expect(
      {{check_port_name, "http", {}},
       {check_port_name, "a--b", {"must not contain consecutive hyphens"}},
       {check_port_name, "-a", {"must not begin or end with a hyphen"}},
       {check_port_name, "80", {"must contain at least one letter (a-z)"}},
       {check_port_name, "abcdefghijklmnop", {"must be no more than 15 characters"}},
       {check_port_name,
        "",
        {"must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
         "must contain at least one letter (a-z)"}},
       {check_ip, "10.9.8.7", {}},
       {check_ip, "010.009.8.7", {}},
       {check_ip, "2001:db8::ffff", {}},
       {check_ip, "10.9.8", {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"}},
       {check_ip, "10.9.8.256", {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"}},
       {check_ip, "1.2.3.4 ", {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"}},
       {check_ip, "::g", {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"}},
       {check_ip,
        std::string("::1\0x", 5),
        {"must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"}},
       {check_ipv4, "::1", {"must be a valid IPv4 address"}},
       {check_ipv6, "1.2.3.4", {"must be a valid IPv6 address"}},
       {check_cidr, "10.0.0.0/8", {}},
       {check_cidr, "::/128", {}},
       {check_cidr,
        "10.0.0.0/33",
        {"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"}},
       {check_cidr,
        "10.0.0.0",
        {"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"}},
       {check_non_special_ip, "10.0.0.1", {}},
       {check_non_special_ip, "0.0.0.0", {"may not be unspecified (0.0.0.0)"}},
       {check_non_special_ip, "::", {"may not be unspecified (::)"}},
       {check_non_special_ip,
        "127.0.0.9",
        {"may not be in the loopback range (127.0.0.0/8, ::1/128)"}},
       {check_non_special_ip,
        "fe80::1",
        {"may not be in the link-local range (169.254.0.0/16, fe80::/10)"}},
       {check_non_special_ip,
        "224.0.0.5",
        {"may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"}},
       {check_percent, "25%", {}},
       {check_percent,
        "%",
        {"a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  "
         "or '93%', regex used for validation is '[0-9]+%')"}},
       {check_http_header_name, "X-Name", {}},
       {check_http_header_name,
        "X Name",
        {"a valid HTTP header must consist of alphanumeric characters or '-' (e.g. "
         "'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"}}});
  CHECK_EQUAL(std::string("must be between 1 and 65535, inclusive\n"), all(check_port_number(0)));
  CHECK(check_port_number(65535).empty());
}
