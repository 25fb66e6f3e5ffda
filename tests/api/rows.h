// Two small kinds of the tests' own, so that what they show of codecs does not hang on a real row.
#pragma once

#include "api/kinds.h"

namespace keelson {

const Kind& test_pod();         // selectable spec.nodeName (indexed) and status.phase
const Kind& test_config_map();  // no columns, no fields
const Kind& test_deployment();

}  // namespace keelson
