#include "tests/support/simt/report.h"

#include <mutex>
#include <utility>

namespace rallrec::simt {
namespace {

struct Reports {
  std::mutex mutex;
  std::vector<std::string> texts;
};

Reports& reports() {
  static auto& shared = *new Reports;
  return shared;
}

}  // namespace

void report(const std::string& text) {
  const std::lock_guard<std::mutex> lock(reports().mutex);
  reports().texts.push_back(text);
}

std::vector<std::string> take_reports() {
  const std::lock_guard<std::mutex> lock(reports().mutex);
  return std::exchange(reports().texts, {});
}

std::string first_report() {
  const std::lock_guard<std::mutex> lock(reports().mutex);
  return reports().texts.empty() ? std::string() : reports().texts.front();
}

}  // namespace rallrec::simt
