#pragma once

#include <string>
#include <vector>

#include "config/setting.h"

namespace rallrec::config {

// The defaults that a mode sets in place of those of options.h, for a data set (data.dataset).
// Every key that a source names wins over them.
std::vector<Setting> mode_settings(const std::string& mode, const std::string& dataset);

}  // namespace rallrec::config
